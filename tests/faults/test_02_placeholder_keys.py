"""Inventories whose number is a placeholder, or another seller's: no parcel is lost without a word."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.main import run
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, NAMES, inventory, message
from tests.pipelines.quarantined import read_quarantine
from tests.pipelines.taken_in import stored_lines

pytestmark = pytest.mark.usefixtures("key")


def numbers(store: Path) -> list[str]:
    return stored_lines(store)["declaration_id"].to_list()


@pytest.mark.parametrize("name", ["a-null.xml", "c-zero.xml", "e-na.xml"])
def test_three_parcels_of_three_sellers_stay_three(shared: Path, name: str, tmp_path: Path) -> None:
    file = shared / "faults" / "02-placeholder-keys" / name
    assert run(["ingest", str(file), "--store", str(tmp_path / "S"), "--quiet"]) == 0
    by_own_number = [
        NAMES.hash_key([f"3201TEST{number}0", f"COP-{number}"], "declaration_id") for number in (1, 2, 3)
    ]
    assert numbers(tmp_path / "S") == sorted(map(str, by_own_number))


PLACEHOLDERS = ["null", "0", "N/A", "无", "-", "--", "００", "#REF!", "(null)", "暂无", r"\N", "None"]


def sent(folder: Path, name: str, *heads: dict[str, str | None]) -> str:
    file = folder / f"{name}.xml"
    parts = [inventory({**IMPORT_HEAD, **head}, IMPORT_LINE) for head in heads]
    file.write_text(message(parts), encoding="utf-8")
    return str(file)


def test_every_placeholder_is_no_number(tmp_path: Path) -> None:
    heads: list[dict[str, str | None]] = [
        {"invtNo": word, "copNo": f"COP{place}", "orderNo": f"ORDER{place}"}
        for place, word in enumerate(PLACEHOLDERS)
    ]
    # Without an own number too, a parcel is known by its order and waybill; one without any is set aside.
    heads.append({"invtNo": "NULL", "copNo": "无"})
    heads.append({"invtNo": "NULL", "copNo": "无", "logisticsNo": "/"})
    assert run(["ingest", sent(tmp_path, "m", *heads), "--store", str(tmp_path / "S"), "--quiet"]) == 3
    expected = [
        NAMES.hash_key(["SELLER1", f"COP{place}"], "declaration_id") for place in range(len(PLACEHOLDERS))
    ]
    expected.append(NAMES.hash_key(["PLATFORM1", "ORDER1", "WAYBILL1"], "declaration_id"))
    assert numbers(tmp_path / "S") == sorted(map(str, expected))
    assert read_quarantine(tmp_path / "S")["reasons"].to_list() == [["declaration_id:missing"]]


def test_a_buyer_called_null_is_nobody(tmp_path: Path) -> None:
    head: dict[str, str | None] = {
        "buyerIdNumber": "无", "buyerName": "NULL", "buyerTelephone": "0", "consigneeAddress": "不详"
    }  # fmt: skip
    assert run(["ingest", sent(tmp_path, "m", head), "--store", str(tmp_path / "S"), "--quiet"]) == 0
    assert stored_lines(tmp_path / "S").select("buyer_id", "address_id").row(0) == (None, None)


FIRST: dict[str, str | None] = {"invtNo": "888", "ebcCode": "SELLER-A", "copNo": "A-1"}
OTHERS: list[dict[str, str | None]] = [
    {"invtNo": "888", "ebcCode": "SELLER-B", "copNo": "B-1", "appTime": "20261120093100"},
    {"invtNo": "888", "ebcCode": "SELLER-A", "copNo": "A-2", "appTime": "20261120093200", "appType": "2"},
    {"invtNo": "888", "ebcCode": "SELLER-C", "copNo": "A-1", "appTime": "20261120093300", "appType": "3"},
]


@pytest.mark.parametrize("order", ["first", "last", "another run"])
def test_a_number_that_another_seller_uses_is_told_and_set_aside(
    order: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = str(tmp_path / "S")
    first, others = sent(tmp_path, "first", FIRST), sent(tmp_path, "others", *OTHERS)
    if order == "another run":
        assert run(["ingest", first, "--store", store, "--quiet"]) == 0
    files = {"first": [first, others], "last": [others, first], "another run": [others]}[order]
    assert run(["ingest", *files, "--store", store]) == 3
    said = capsys.readouterr().out
    assert "3 in quarantine, 0 repeats" in said
    assert "shared_number 3" in said
    assert "an earlier message of another seller" in said
    assert numbers(tmp_path / "S") == ["888"]
    assert read_quarantine(tmp_path / "S")["reasons"].to_list() == [["shared_number"]] * 3


def test_a_later_message_of_the_same_sender_still_changes_the_parcel(tmp_path: Path) -> None:
    store = str(tmp_path / "S")
    deletion = {**FIRST, "appType": "3", "appTime": "20261120093500"}
    assert run(["ingest", sent(tmp_path, "m", FIRST), "--store", store, "--quiet"]) == 0
    assert run(["ingest", sent(tmp_path, "d", deletion), "--store", store, "--quiet"]) == 0
    assert numbers(tmp_path / "S") == []

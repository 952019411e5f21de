"""A field stated twice, an element inside a text: what cannot be known is not guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.contract.declarations import DECLARATION_COLUMNS
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, read
from tests.pipelines.taken_in import ingest_files, stored_lines

pytestmark = pytest.mark.usefixtures("key")

MARKED = {"gnum", "gcode", "totalPrice", "invtNo", "declTime"}
STEERING = {"appType", "appStatus", "appTime"}
# Fields that nothing rests on, or only where another is not there.
WITHOUT_EFFECT = {
    *("guid", "ebpName", "ebcName", "logisticsName", "agentName", "areaName", "note", "itemName", "copNo"),
    *("buyerName", "buyerTelephone", "statisticsFlag"),
}


def test_a_marked_field_stated_twice_sends_the_row_to_quarantine(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "11-field-twice" / "n-repeated-field.xml") == 3
    assert stored_lines(tmp_path / "S").is_empty()
    assert "row 1: total_price (stated twice)" in capsys.readouterr().out


def test_a_text_with_an_element_in_it_is_null_with_a_reason(
    shared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest_files(tmp_path / "S", shared / "faults" / "11-field-twice" / "l-child-in-field.xml") == 0
    assert stored_lines(tmp_path / "S")["item_name"].to_list() == [None]
    assert "item_name:element_inside 1" in capsys.readouterr().out


HEAD: dict[str, str | None] = {**IMPORT_HEAD, "invtNo": "N1", "statisticsFlag": "B"}
TWICE = [*((True, field) for field in HEAD if HEAD[field]), *((False, field) for field in IMPORT_LINE)]


def twice(of_head: bool, field: str) -> str:
    """An inventory in which a field of the head or of the line is stated twice."""
    part = "InventoryHead" if of_head else "InventoryList"
    before, begin, rest = inventory(HEAD, IMPORT_LINE).partition(f"<ceb:{part}>")
    fields, end, after = rest.partition(f"</ceb:{part}>")
    once = f"<ceb:{field}>{(HEAD if of_head else IMPORT_LINE)[field]}</ceb:{field}>"
    assert once in fields
    return before + begin + fields.replace(once, once * 2) + end + after


@pytest.mark.parametrize(("of_head", "field"), TWICE, ids=[f"{field}-{of_head}" for of_head, field in TWICE])
def test_whatever_field_is_stated_twice_is_read_as_neither_of_the_two(
    tmp_path: Path, of_head: bool, field: str
) -> None:
    sound = read(tmp_path, [inventory(HEAD, IMPORT_LINE)]).row(0, named=True)
    found = read(tmp_path, [twice(of_head, field)]).row(0, named=True)
    unlike = [name for name in DECLARATION_COLUMNS if found[name] != sound[name]]
    assert all(found[name] is None for name in unlike)
    reasons = [*(found["_nulled"] or []), found["_reject"]]
    for name in unlike:
        assert {f"{name}:stated_twice", f"{name}:other_currency"} & set(reasons) or found["_reject"], name
    assert (found["_reject"] is not None) == (
        field in MARKED | STEERING or (of_head, field) == (False, "currency")
    )
    assert bool(unlike or found["_reject"]) == (field not in WITHOUT_EFFECT)
    assert "\x00" not in found["_record"]

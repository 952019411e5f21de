"""Receipts and tax bills become inspections, beside what inspectors returned, whatever comes first."""

from __future__ import annotations

from datetime import date
from itertools import permutations
from pathlib import Path

import polars as pl
import pytest

from pipelines.store.store import Store
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory
from tests.pipelines.document_messages import SEQUENCES, STATE, TAX, TAX_LINE, element, tax_bill, written
from tests.pipelines.taken_in import stored_bytes, take_in_files

DAY = date(2026, 11, 20)
HEAD = IMPORT_HEAD | {"invtNo": "INVENTORY1"}
LINES = (IMPORT_LINE, IMPORT_LINE | {"gnum": "2", "totalPrice": "99", "price": "99", "qty": "1"})
RECEIPT = STATE | {"ebcCode": "SELLER1", "copNo": "COP1"}


pytestmark = pytest.mark.usefixtures("key")


def declared(folder: Path) -> Path:
    return written(
        folder, "621", [inventory(HEAD, *LINES), inventory(HEAD | {"invtNo": "OTHER"}, IMPORT_LINE)]
    )


def receipts(folder: Path, *told: tuple[int, str], name: str = "622", **fields: object) -> Path:
    texts = [
        element("InventoryReturn", RECEIPT | {"returnStatus": status, "returnTime": f"{at}000"} | fields)
        for status, at in told
    ]
    return written(folder, "622", texts, name)


def results(store: Path) -> pl.DataFrame:
    return Store.open(store).read_inspections().sort("declaration_id", "line_no", "reported_on")


@pytest.mark.parametrize(
    ("endings", "irregular", "reported"),
    [
        ([(800, "20261123090000")], False, date(2026, 11, 23)),
        ([(899, "20261122090000"), (800, "20261123090000")], False, date(2026, 11, 22)),
        ([(501, "20261122090000"), (800, "20261123090000")], True, date(2026, 11, 22)),
        ([(700, "20261121233000")], True, date(2026, 11, 21)),
        ([(800, "20261121000000")], None, None),
        ([(120, "20261123090000")], None, None),
    ],
)
def test_an_inspection_ends_with_the_first_fate(
    tmp_path: Path, endings: list[tuple[int, str]], irregular: bool | None, reported: date | None
) -> None:
    files = [declared(tmp_path), receipts(tmp_path, (500, "20261121090000"), *endings)]
    report = take_in_files(tmp_path / "S", *files)
    assert report.exit_code == 0
    found = results(tmp_path / "S")
    expected = [] if irregular is None else [("INVENTORY1", line, irregular, reported) for line in (1, 2)]
    assert found.select("declaration_id", "line_no", "irregularity", "reported_on").rows() == expected
    assert report.manifest["outcomes"]["rows"] == len(expected)
    if expected:
        assert set(found["selection"]) == {"officer"}
        assert set(found["inspected_on"]) == {date(2026, 11, 21)}


def test_an_ending_without_an_inspection_is_none(tmp_path: Path) -> None:
    take_in_files(tmp_path / "S", declared(tmp_path), receipts(tmp_path, (800, "20261123090000")))
    assert results(tmp_path / "S").is_empty()


def test_without_the_inventory_number_a_receipt_is_told_by_the_declarants_own(tmp_path: Path) -> None:
    told = receipts(tmp_path, (500, "20261121090000"), (503, "20261122090000"), invtNo=None)
    take_in_files(tmp_path / "S", declared(tmp_path), told)
    # Both inventories say COP1: the first by number counts.
    assert results(tmp_path / "S")["irregularity"].to_list() == [True, True]


def test_an_inventory_that_came_before_its_number_is_found_by_the_declarants_own(tmp_path: Path) -> None:
    inventories = [inventory(IMPORT_HEAD | {"invtNo": None}, IMPORT_LINE)]
    told = receipts(tmp_path, (500, "20261121090000"), (503, "20261122090000"))
    take_in_files(tmp_path / "S", written(tmp_path, "621", inventories))
    take_in_files(tmp_path / "S", told)
    (declared_as,) = Store.open(tmp_path / "S").read_declarations(DAY)["declaration_id"]
    assert results(tmp_path / "S").select("declaration_id", "irregularity").rows() == [(declared_as, True)]


@pytest.mark.parametrize("sequence", list(permutations(range(3))))
def test_a_bill_joins_receipts_without_a_number_in_any_order(
    tmp_path: Path, sequence: tuple[int, ...]
) -> None:
    files = [
        declared(tmp_path),
        receipts(tmp_path, (500, "20261121090000"), (800, "20261122090000"), invtNo=None),
        written(tmp_path, "816", [tax_bill(TAX | {"returnTime": "20261122180000000"}, TAX_LINE)]),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    price = pytest.approx((404.5 - 12.5 * 301 / 400) / 2, abs=1e-4)
    assert results(tmp_path / "S")["assessed_unit_price"].to_list() == [price, None]


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_the_list_that_a_parcel_stood_on_is_its_channel(tmp_path: Path, sequence: tuple[int, ...]) -> None:
    store = Store.create(tmp_path / "S")
    listed = pl.DataFrame(
        {
            "rank": [1], "customs_office": ["2991"], "declaration_id": ["INVENTORY1"], "line_no": [1],
            "risk": ["undervaluation"], "probability": [0.1], "expected_value_cny": [10.0],
            "selection": ["random"], "inspection_probability": [0.01],
        }
    )  # fmt: skip
    folder = store.layout.root / "lists" / f"declared_on={DAY}"
    folder.mkdir(parents=True)
    listed.write_parquet(folder / "sampling_list.parquet")
    files = [
        declared(tmp_path),
        receipts(tmp_path, (500, "20261121090000"), name="opened"),
        receipts(tmp_path, (800, "20261122090000"), name="released"),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    found = results(tmp_path / "S")
    assert set(found.select("selection", "inspection_probability").rows()) == {("random", 0.01)}


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_an_earlier_ending_that_comes_late_takes_the_place_of_the_other(
    tmp_path: Path, sequence: tuple[int, ...]
) -> None:
    files = [
        declared(tmp_path),
        receipts(tmp_path, (500, "20261121090000"), (800, "20261124090000"), name="a"),
        receipts(tmp_path, (502, "20261122090000"), name="b"),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    take_in_files(tmp_path / "T", *files)
    for store in (tmp_path / "S", tmp_path / "T"):
        found = results(store).select("reported_on", "irregularity")
        assert found.rows() == [(date(2026, 11, 22), True)] * 2


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_an_inspectors_value_stays_and_what_contradicts_it_is_told(
    tmp_path: Path, sequence: tuple[int, ...]
) -> None:
    table = tmp_path / "results.csv"
    table.write_text(
        "declaration_id,line_no,inspected_on,reported_on,selection,undervaluation,assessed_unit_price\n"
        "INVENTORY1,1,2026-11-21,2026-11-22,risk,true,999\n",
        encoding="utf-8",
    )
    files = [
        declared(tmp_path),
        table,
        receipts(tmp_path, (500, "20261121090000"), (800, "20261122090000")),
    ]
    bill = TAX | {"returnTime": "20261122180000000"}
    files.append(
        written(tmp_path, "816", [tax_bill(bill, TAX_LINE, TAX_LINE | {"gnum": 2, "taxPrice": 150})])
    )
    said = []
    for number in (*sequence, 3, 1):
        report = take_in_files(tmp_path / "S", files[number])
        assert report.exit_code == 0, list(report.lines())
        said += report.manifest["outcomes"]["contradicted"]
    first, second = results(tmp_path / "S").to_dicts()
    assert (first["undervaluation"], first["irregularity"], first["selection"]) == (True, False, "risk")
    assert first["assessed_unit_price"] == 999.0
    assert (second["undervaluation"], second["irregularity"], second["selection"]) == (None, False, "officer")
    # 150 less its share of the freight of 12.5, by value (99 of 400), for one piece.
    assert second["assessed_unit_price"] == pytest.approx(150 - 12.5 * 99 / 400)
    assert set(said) == {"INVENTORY1"}


def test_a_bill_that_comes_later_is_known_from_its_own_day_and_gone_when_void(tmp_path: Path) -> None:
    late = TAX | {"returnTime": "20261201180000000"}
    take_in_files(
        tmp_path / "S",
        declared(tmp_path),
        receipts(tmp_path, (500, "20261121090000"), (599, "20261122090000")),
    )
    take_in_files(tmp_path / "S", written(tmp_path, "816", [tax_bill(late, TAX_LINE)]))
    found = results(tmp_path / "S").select("line_no", "reported_on", "irregularity", "assessed_unit_price")
    price = pytest.approx((404.5 - 12.5 * 301 / 400) / 2, abs=1e-4)
    assert found.rows() == [
        (1, date(2026, 11, 22), True, None),
        (1, date(2026, 12, 1), None, price),
        (2, date(2026, 11, 22), True, None),
    ]
    void = {name: TAX[name] for name in ("guid", "invtNo", "taxNo")} | {"returnTime": "20261202180000000"}
    take_in_files(
        tmp_path / "S",
        written(tmp_path, "818", [f"<ceb:Tax>{element('TaxHeadStatus', void | {'status': 3})}</ceb:Tax>"]),
    )
    assert results(tmp_path / "S")["assessed_unit_price"].null_count() == 2


def test_results_of_other_parcels_stay_as_they_are(tmp_path: Path) -> None:
    table = tmp_path / "results.csv"
    table.write_text(
        "declaration_id,line_no,inspected_on,reported_on,selection,food_safety\n"
        "OTHER,1,2026-11-21,2026-11-22,risk,false\n",
        encoding="utf-8",
    )
    take_in_files(tmp_path / "S", declared(tmp_path), table)
    before = results(tmp_path / "S").to_dicts()
    take_in_files(tmp_path / "S", receipts(tmp_path, (500, "20261121090000"), (800, "20261122090000")))
    after = results(tmp_path / "S")
    assert after.filter(declaration_id="OTHER").drop("irregularity").to_dicts() == before
    assert after.height == 3


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_receipt_that_names_another_number_is_told_by_the_declarants_own_in_any_order(
    tmp_path: Path, sequence: tuple[int, ...]
) -> None:
    files = [
        written(tmp_path, "621", [inventory(IMPORT_HEAD | {"invtNo": None}, IMPORT_LINE)]),
        receipts(tmp_path, (500, "20261121090000"), name="a"),
        receipts(tmp_path, (503, "20261122090000"), name="b", invtNo=None),
    ]
    for number in sequence:
        take_in_files(tmp_path / "S", files[number])
    assert results(tmp_path / "S")["irregularity"].to_list() == [True]


def test_only_parcels_of_which_a_run_speaks_are_derived_anew(tmp_path: Path) -> None:
    told = receipts(tmp_path, (500, "20261121090000"), (503, "20261122090000"), invtNo=None)
    first = take_in_files(tmp_path / "S", declared(tmp_path), told)
    assert first.manifest["outcomes"]["rows"] == 2
    before = stored_bytes(tmp_path / "S", "inspections")
    stranger = inventory(HEAD | {"invtNo": "STRANGER", "copNo": "COP9"}, IMPORT_LINE)
    unmoved = take_in_files(tmp_path / "S", written(tmp_path, "621", [stranger], "stranger"))
    assert unmoved.manifest["outcomes"]["rows"] == 0
    # Another that says COP1 is about the same parcel, or may be.
    same = inventory(HEAD | {"invtNo": "ZZZ"}, IMPORT_LINE)
    moved = take_in_files(tmp_path / "S", written(tmp_path, "621", [same], "same"))
    assert moved.manifest["outcomes"]["rows"] == 2
    assert stored_bytes(tmp_path / "S", "inspections") == before

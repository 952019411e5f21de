"""Cases of lists that an earlier version issued, and cases that are issued again."""

from __future__ import annotations

from typing import Any

import polars as pl

from pipelines.cases.case import CASE, CASE_TYPE, FINDING_TYPE, as_issued, with_changed_parcels

# As cases were before a finding said since when its rule holds.
_EARLIER_FINDING = pl.Struct([field for field in FINDING_TYPE.fields if field.name != "valid_from"])
_EARLIER = pl.Struct(
    [field for field in CASE_TYPE.fields if field.name != "findings"]
    + [pl.Field("findings", pl.List(_EARLIER_FINDING))]
)


def _rows(kind: pl.DataType, **case: Any) -> pl.DataFrame:
    cases: list[Any] = [case, None]
    return pl.DataFrame({"declaration_id": ["A", "B"], CASE: pl.Series(cases, dtype=kind)})


def test_other_parcels_are_changed_in_cases_of_every_version() -> None:
    def change(parcels: pl.DataFrame) -> pl.DataFrame:
        return parcels.with_columns(pl.lit("gone").alias("declaration_id"))

    for kind in (CASE_TYPE, _EARLIER):
        rows = _rows(kind, companions=[{"declaration_id": "C"}], findings=[{"check": "weight"}])
        changed = with_changed_parcels(rows, change)
        assert changed.schema == rows.schema
        case, nothing = changed[CASE].to_list()
        assert [each["declaration_id"] for each in case["companions"]] == ["gone"]
        assert [each["check"] for each in case["findings"]] == ["weight"]
        assert nothing is None
        assert with_changed_parcels(rows, lambda parcels: parcels) is rows


def test_a_case_is_issued_again_as_it_was_but_for_what_checks_find() -> None:
    known = {"complete": True, "models": [{"risk": "r", "version": "1"}]}
    then = _rows(CASE_TYPE, **known, earlier_parcels=1, findings=[{"check": "order_limit"}])
    now = _rows(CASE_TYPE, **known, earlier_parcels=2, findings=[{"check": "weight"}])
    case, nothing = as_issued(now, [then])[CASE].to_list()
    assert case["earlier_parcels"] == 1
    assert [each["check"] for each in case["findings"]] == ["weight"]
    assert nothing is None
    earlier = _rows(_EARLIER, **known, earlier_parcels=1, findings=[{"check": "order_limit"}])
    assert as_issued(now, [earlier]).equals(now)

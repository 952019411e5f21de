"""Whether a parcel's mode of supervision was open on its day, at its office."""

from __future__ import annotations

from datetime import date

import polars as pl

from features.check import FINDING_COLUMNS, CheckedDay, as_findings, check_family
from features.words.figures import ready_for_words

_PAIR = ("trade_mode", "customs_office")
_DISTRICT = 2
_OFFICE = "^[0-9]{4}$"


@check_family("mode_not_open")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return parcels whose mode was not open yet: nowhere, or not at their office.

    Offices are compared where their code is one of customs' (four digits); of another the mode's first day is
    all that counts. What places take part is known of the districts that the office has loaded.
    """
    modes_there, offices = (day.lines.select(name).unique() for name in _PAIR)
    pairs = modes_there.drop_nulls().join(offices, how="cross")
    modes, places = (day.reference.whole[name] for name in ("modes", "mode_places"))
    office, place = pl.col("customs_office"), pl.col("office")
    is_office = office.str.contains(_OFFICE).fill_null(False)
    here = place.is_null() | ~is_office | office.str.starts_with(place.fill_null(""))
    by_mode = _state(pairs, modes, here, day.day)
    loaded = is_office & (office.str.slice(0, _DISTRICT) == place.str.slice(0, _DISTRICT))
    by_place = _state(pairs, places, loaded & office.str.starts_with(place), day.day, of=loaded)
    closed = pl.concat([by_mode, by_place]).filter(~pl.col("is_open"))
    closed = closed.unique(_PAIR, keep="first", maintain_order=True)
    if closed.is_empty():
        return pl.DataFrame(schema=FINDING_COLUMNS)
    rows = day.parcels.join(closed, on=_PAIR, nulls_equal=True).pipe(ready_for_words)
    at = pl.concat_str(pl.lit(" at office "), office)
    later = pl.format("open there from {} on", "opens_on")
    findings = rows.select(
        "declaration_id",
        outcome=pl.when(~pl.col("has_ended")).then(pl.lit("failed")),
        found=pl.concat_str(
            pl.lit("mode "), "trade_mode", at.fill_null(""), pl.lit(f" on {day.day}")
        ),
        expected=later.fill_null("a place that takes part"),
        basis=pl.col("opened_by").fill_null("table mode_places"),
        valid_from="opens_on",
    )  # fmt: skip
    return as_findings(findings, "mode_not_open")


def _state(
    pairs: pl.DataFrame, rows: pl.DataFrame, here: pl.Expr, day: date, of: pl.Expr | None = None
) -> pl.DataFrame:
    """Of each mode and office of which a table speaks, whether it is open, and when and by what it opens.

    Args:
        pairs: modes and offices.
        rows: of a table, of all days.
        here: whether a row is about the office.
        day: the day.
        of: whether the table speaks of the office because of a row; every row, where not given.
    """
    told = pairs.join(rows.rename({"mode": "trade_mode"}), on="trade_mode")
    told = told if of is None else told.filter(of.fill_null(False))
    here, has_begun = here.fill_null(False), pl.col("valid_from") <= day
    is_over = (pl.col("ends") < str(day)).fill_null(False)
    next_one = here & ~has_begun
    return (
        told.sort(*_PAIR, "valid_from", "office", nulls_last=True)
        .group_by(_PAIR, maintain_order=True)
        .agg(
            is_open=(here & has_begun & ~is_over).any(),
            has_ended=(here & has_begun & is_over).any(),
            opens_on=pl.col("valid_from").filter(next_one).first(),
            opened_by=pl.col("notice").filter(next_one).first(),
        )
    )

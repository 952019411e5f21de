"""What became of every parcel on the lists of some days, and what other inspections of these days found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from configs.schema.capacity import EXPORTS_LIST
from features.contract.declarations import LINE_KEY
from models.estimates.office_figures import LISTED_PARCEL_COLUMNS, told_tax
from models.estimates.parcel_table import UNASSIGNED
from pipelines.feedback.log import read_log
from pipelines.feedback.rows import REJECTED
from pipelines.lists.fields import risk_of
from pipelines.lists.issued import issued_lists
from pipelines.store.store import Store

OPENED, AT_LABORATORY, REPLACED = "opened", "at_laboratory", "replaced"
NOT_OPENED, NO_RESULT = "not_opened", "no_result"
STATES = (OPENED, AT_LABORATORY, REPLACED, NOT_OPENED, NO_RESULT)
"""What became of a parcel on a list: a risk of it was examined; nothing is known of it but that a sample was
sent to the laboratory; another parcel was opened instead; it came back, and nothing of it was examined;
nothing is known."""

_PARCEL = "declaration_id"
_PLACE = ["declared_on", "customs_office", "shift", "list_id", "rank", _PARCEL, "line_no", "selection"]
_RESULT = ("examined", "found", "recovered_tax_cny", "known_on")


def listed_entries(store: Store, lists: pl.DataFrame, parcels: pl.DataFrame) -> pl.DataFrame:
    """The parcels on some lists, one a row: place, `state` (one of STATES), why it was `not_opened`
    where that was told, and what was found in it.

    `lists` are those of `list_returns`, `parcels` all that were inspected (`inspected_parcels`). A parcel of
    another issue of a list counts where it came back, one that was declared again where it stood last.
    Columns are those of `LISTED_PARCEL_COLUMNS`, where the channel is that of the list, and one for each
    label.
    """
    frames = []
    for (day,), of_day in lists.group_by("declared_on", maintain_order=True):
        assert isinstance(day, date)
        rows = issued_lists(store, day)
        counted = rows.filter(pl.col("list_id").is_in(of_day["list_id"].implode()))
        back = _came_back(store, day)
        other = rows.join(back, on=("list_id", _PARCEL), how="semi").join(counted, on=_PARCEL, how="anti")
        other = other.filter(pl.col("customs_office").is_in(of_day["customs_office"].implode()))
        entries = pl.concat([counted, other]).unique(_PARCEL, keep="first", maintain_order=True)
        answers = back.group_by(_PARCEL).agg(
            pl.lit(True).alias("returned"),
            pl.col("opened_instead", "not_opened").drop_nulls().last(),
            pl.col("sent").any(),
        )
        frames.append(entries.select(*_PLACE).join(answers, on=_PARCEL, how="left"))
    labels = label_columns(parcels)
    listed = pl.concat(frames).unique(_PARCEL, keep="last", maintain_order=True)
    known = listed.join(parcels.select(_PARCEL, *_RESULT, *labels), on=_PARCEL, how="left")
    examined = pl.col("examined").fill_null(False)
    return known.with_columns(
        pl.when(examined)
        .then(pl.lit(OPENED))
        .when(pl.col("opened_instead").is_not_null())
        .then(pl.lit(REPLACED))
        .when(pl.col("sent"))
        .then(pl.lit(AT_LABORATORY))
        .when(pl.col("returned").fill_null(False) | pl.col("examined").is_not_null())
        .then(pl.lit(NOT_OPENED))
        .otherwise(pl.lit(NO_RESULT))
        .alias("state"),
        pl.col("examined").is_not_null().alias("inspected"),
        examined,
        pl.col("found").fill_null(False),
        "recovered_tax_cny",
        pl.col("declared_on").dt.truncate("1w").alias("week"),
        pl.col("shift").eq_missing(EXPORTS_LIST).alias("exports"),
        (pl.col("known_on") - pl.col("declared_on")).dt.total_days().alias("delay_days"),
    ).select(*dict.fromkeys((*_PLACE, *LISTED_PARCEL_COLUMNS)), "state", "not_opened", *labels)


def inspected_parcels(store: Store, first: date) -> pl.DataFrame:
    """All parcels with a result that was reported from a day on: `selection`, `examined`, `found` (any risk),
    `recovered_tax_cny`, `known_on` (the first day of a label) and a Boolean column for each label.

    Of a line each column counts with its latest value that is not null; the channel is that of the parcel's
    first report that names one.
    """
    lines = store.read_inspections(reported_from=first).sort("reported_on", *LINE_KEY)
    labels = label_columns(lines)
    results = lines.group_by(*LINE_KEY).agg(
        pl.col([*labels, "recovered_tax_cny"]).drop_nulls().last(),
        pl.col("selection").drop_nulls().first(),
        pl.col("reported_on").min().alias("first_report"),
        pl.col("reported_on").filter(pl.any_horizontal(pl.col(labels).is_not_null())).min().alias("known_on"),
    )
    return (
        results.sort("first_report", "line_no")
        .group_by(_PARCEL)
        .agg(
            pl.col("selection").drop_nulls().first(),
            pl.any_horizontal(pl.col(labels).is_not_null().any()).alias("examined"),
            pl.any_horizontal(pl.col(labels).any()).fill_null(False).alias("found"),
            told_tax(),
            pl.col("known_on").min(),
            # Found in one line is found; else examined in one line is examined.
            *(
                pl.when(pl.col(label).is_not_null().any()).then(pl.col(label).any()).alias(label)
                for label in labels
            ),
        )
        .sort(_PARCEL)
    )


def other_inspections(
    store: Store, parcels: pl.DataFrame, entries: pl.DataFrame, days: Iterable[date], office: str | None
) -> pl.DataFrame:
    """By the channel of the inspections: parcels declared on some days that were inspected and stood on no
    list: `selection`, `inspected`, `examined`, `findings`.
    """
    unlisted = parcels.join(entries, on=_PARCEL, how="anti")
    declared = _offices(store, unlisted[_PARCEL], days)
    if office is not None:
        declared = declared.filter(pl.col("customs_office") == office)
    return (
        unlisted.join(declared, on=_PARCEL, how="semi")
        .group_by("selection")
        .agg(
            pl.len().cast(pl.Int64).alias("inspected"),
            pl.col("examined").sum().cast(pl.Int64),
            (pl.col("examined") & pl.col("found")).sum().cast(pl.Int64).alias("findings"),
        )
        .sort("selection", nulls_last=True)
    )


def findings_by_risk(entries: pl.DataFrame, labels: Mapping[str, str]) -> pl.DataFrame:
    """By office and risk: parcels on lists of which the risk was `examined`, and `findings`.

    `labels` are the labels by risk; `customs_office` null is all offices together.
    """
    frames = []
    for risk, label in labels.items():
        if label in entries.columns:
            counts = [
                pl.col(label).is_not_null().sum().cast(pl.Int64).alias("examined"),
                pl.col(label).sum().cast(pl.Int64).alias("findings"),
            ]
            by_office = entries.group_by("customs_office").agg(counts)
            whole = entries.select(pl.lit(None, dtype=pl.String).alias("customs_office"), *counts)
            frames.append(
                pl.concat([whole, by_office]).select(
                    "customs_office", pl.lit(risk).alias("risk"), pl.all().exclude("customs_office")
                )
            )
    counted = dict.fromkeys(("examined", "findings"), pl.Int64())
    schema = dict.fromkeys(("customs_office", "risk"), pl.String()) | counted
    return pl.concat([pl.DataFrame(schema=schema), *frames]).sort("customs_office", "risk", nulls_last=False)


def found_parcels(entries: pl.DataFrame, labels: Mapping[str, str]) -> pl.DataFrame:
    """The parcels on lists with a finding, newest day first: their place, and the `risks` that were found."""
    known = {risk: label for risk, label in labels.items() if label in entries.columns}
    named = [pl.when(pl.col(label).fill_null(False)).then(pl.lit(risk)) for risk, label in known.items()]
    return (
        entries.filter(pl.col("examined") & pl.col("found"))
        .with_columns(
            pl.concat_list(named or [pl.lit(None, dtype=pl.String)]).list.drop_nulls().alias("risks")
        )
        .select(*_PLACE, "risks", "recovered_tax_cny")
        .sort("declared_on", "customs_office", "shift", "rank", descending=[True, False, False, False])
    )


def became_of(entries: pl.DataFrame) -> pl.DataFrame:
    """By office and channel: how many parcels were `listed`, and how many there are in each of STATES."""
    counts = [(pl.col("state") == state).sum().cast(pl.Int64).alias(state) for state in STATES]
    return (
        entries.group_by("customs_office", "selection")
        .agg(pl.len().cast(pl.Int64).alias("listed"), *counts)
        .sort("customs_office", "selection", nulls_last=True)
    )


def seen_into(became: pl.DataFrame) -> pl.DataFrame:
    """The counts of `became_of` with parcels of which a sample is away among the `opened` ones."""
    return became.with_columns(pl.col(OPENED) + pl.col(AT_LABORATORY))


def not_opened_because(entries: pl.DataFrame) -> pl.DataFrame:
    """By office, channel and why: `parcels` on lists that came back unopened; null where nobody said why."""
    return (
        entries.filter(pl.col("state") == NOT_OPENED)
        .group_by("customs_office", "selection", "not_opened")
        .agg(pl.len().cast(pl.Int64).alias("parcels"))
        .sort("customs_office", "selection", "not_opened", nulls_last=True)
    )


def label_columns(frame: pl.DataFrame) -> list[str]:
    """The Boolean columns of a frame that are labels."""
    own = {"examined", "found", "inspected"}
    return [name for name, dtype in frame.schema.items() if dtype == pl.Boolean() and name not in own]


def _came_back(store: Store, day: date) -> pl.DataFrame:
    """The returned rows of a day's lists: list, parcel, what was opened instead, why it was not opened, and
    whether a sample was `sent` to the laboratory.
    """
    taken = read_log(store, day).filter(pl.col("outcome") != REJECTED)
    results = [pl.col(name) == "sent" for name in taken.columns if risk_of(name) is not None]
    sent = pl.any_horizontal(pl.lit(False), *results).fill_null(False).alias("sent")
    return taken.select("list_id", _PARCEL, "opened_instead", "not_opened", sent)


def _offices(store: Store, parcels: pl.Series, days: Iterable[date]) -> pl.DataFrame:
    """The office of the parcels among those declared on some days."""
    wanted = parcels.implode()
    frames = [pl.DataFrame(schema={_PARCEL: pl.String(), "customs_office": pl.String()})]
    for day in days:
        lines = store.scan_declarations(day, day).select(_PARCEL, "customs_office")
        rows = lines.filter(pl.col(_PARCEL).is_in(wanted)).collect().sort(_PARCEL)
        office = pl.col("customs_office").drop_nulls().min().fill_null(UNASSIGNED)
        frames.append(rows.group_by(_PARCEL, maintain_order=True).agg(office))
    # A declaration that came again on another day counts on the newest.
    return pl.concat(frames).unique(_PARCEL, keep="last", maintain_order=True)

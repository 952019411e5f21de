"""All lines of a simulated world's last days: the truth, what an inspection would record, what was scored."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import polars as pl

from benchmarks.judging.bound import truth_of
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels
from pipelines.simulation import World
from pipelines.simulation.days.day import calibrate, simulate_day
from pipelines.simulation.days.missing import habits
from pipelines.simulation.inspections.inspectorate import examine
from pipelines.simulation.inspections.officers import OpenedParcels
from pipelines.simulation.world.seasons import expected_parcels
from pipelines.simulation.world.state import Today
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store


def recorded(
    world: World, calendar: Sequence[date], parcels_per_day: int, last: int, *, drift: bool
) -> pl.DataFrame:
    """What inspections would record if every parcel of the last days was opened, a row a line.

    Officers miss some findings, see some that are none, and a laboratory does not test everything. What a
    line is not examined for is not recorded: false. Columns: the key and a Boolean column a label.
    """
    expected = expected_parcels(calendar, parcels_per_day)
    scales, omissions = calibrate(world), habits(world)
    changes_at = len(calendar) - len(calendar) // 3
    parts = []
    for step in range(len(calendar) - last, len(calendar)):
        today = Today(world, calendar[step], drifting=drift and step >= changes_at)
        day = simulate_day(today, float(expected[step]), scales, omissions)
        parcels = len(day.parcels)
        everyone = OpenedParcels(np.arange(parcels), np.zeros(parcels, dtype=np.int64), np.ones(parcels))
        known = known_labels(examine(day, everyone).table, date.max)
        labels = [name for name, dtype in known.schema.items() if dtype == pl.Boolean]
        parts.append(known.select(*LINE_KEY, *(pl.col(name).fill_null(False) for name in labels)))
    return pl.concat(parts)


def later_lines(
    store: Store, days: Sequence[date], records: pl.DataFrame, released: Store | None = None
) -> pl.DataFrame:
    """The scored days' lines, sorted by key: seller_id, the truth, `recorded__<label>`, and per risk
    `probability__<risk>` and `value__<risk>` of the night; where the nights of the `released` program are
    given, their `released_probability__<risk>` and `released_value__<risk>` too.
    """
    labels = [name for name in records.columns if name not in LINE_KEY]
    parts = []
    for day in days:
        lines = store.read_declarations(day, [*LINE_KEY, "seller_id"])
        for whose, of in (("", store), ("released_", released)):
            for kind, name in ((DayTable.SCORES, "probability"), (DayTable.VALUES, "value")):
                if of is not None:
                    scored = _table(of, kind, day, f"{whose}{name}")
                    lines = lines.join(scored, on=LINE_KEY, how="left", validate="1:1")
        parts.append(lines.join(truth_of(store, day), on=LINE_KEY, how="left", validate="1:1"))
    renamed = records.rename({label: f"recorded__{label}" for label in labels})
    joined = pl.concat(parts).join(renamed, on=LINE_KEY, how="left", validate="1:1").sort(LINE_KEY)
    known = joined.select(labels, *renamed.drop(LINE_KEY).columns)
    if known.null_count().sum_horizontal().item():
        raise ValueError("a line lacks its truth, or what an inspection of it would record")
    return joined


def _table(store: Store, kind: DayTable, day: date, name: str) -> pl.DataFrame:
    files = store.layout.files(kind, day)
    table = pl.concat(pl.read_parquet(file, glob=False, hive_partitioning=False) for file in files)
    return table.rename({risk: f"{name}__{risk}" for risk in table.columns if risk not in LINE_KEY})

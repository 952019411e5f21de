"""A small world of declarations and inspections, and the replay of its days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.assemble import FeatureSet, assemble
from features.contract.declarations import DECLARATION_COLUMNS, LINE_KEY
from features.history.day_tables import day_tables
from features.history.fold import fold
from features.history.keys import key_specs
from features.history.peers import sketch_names
from features.history.results import increments, result_tables
from features.history.state import History
from features.history.view import DayContext
from features.prepare import prepare_lines

FIRST_DAY = date(2026, 3, 1)


@dataclass(frozen=True)
class SmallWorld:
    """Declarations with `declared_on`, and inspections, of some days."""

    declarations: pl.DataFrame
    inspections: pl.DataFrame
    days: Sequence[date]


def make_world(seed: int, days: int, parcels: int) -> SmallWorld:
    rng = np.random.default_rng(seed)
    lines = []
    for offset in range(days):
        day = FIRST_DAY + timedelta(days=offset)
        for parcel in range(parcels):
            seller = None if rng.random() < 0.05 else f"s{int(rng.zipf(1.6)) % 15}"
            buyer = None if rng.random() < 0.1 else f"b{rng.integers(25)}"
            for line in range(1, int(rng.integers(1, 4))):
                heading = str(rng.choice(["9503003100", "3304990029", "6403990090", "1905310000"]))
                quantity = float(rng.integers(1, 6))
                lines.append(
                    {
                        "declaration_id": f"d{offset:02d}-{parcel:03d}",
                        "line_no": line,
                        "declared_at": datetime(
                            day.year, day.month, day.day, int(rng.integers(0, 15)), tzinfo=UTC
                        ),
                        "direction": "import",
                        "trade_mode": str(rng.choice(["9610", "mail"])),
                        "customs_office": str(rng.choice(["0100", "5300"])),
                        "seller_id": seller,
                        "buyer_id": buyer,
                        "address_id": f"a{rng.integers(12)}",
                        "origin_country": None if rng.random() < 0.1 else str(rng.choice(["DE", "JP", "US"])),
                        "dispatch_country": str(rng.choice(["DE", "HK"])),
                        "hs_code": heading,
                        "item_name": str(
                            rng.choice(["toy car", "儿童玩具", "活体蚂蚁", "lipstick", "样品", "饼干"])
                        ),
                        "quantity": quantity,
                        "unit": "007",
                        "unit_price": float(np.round(rng.lognormal(4, 1), 2)),
                        "total_price": float(np.round(quantity * rng.lognormal(4, 1), 2)),
                        "currency": str(rng.choice(["CNY", "USD", "XQQ"], p=[0.7, 0.25, 0.05])),
                        "net_weight_kg": float(rng.uniform(0.1, 3.0)),
                        "gross_weight_kg": float(rng.uniform(3.0, 4.0)),
                    }
                )
    frame = pl.DataFrame(lines, schema_overrides=DECLARATION_COLUMNS)
    complete = frame.select(
        pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)
        for name, dtype in DECLARATION_COLUMNS.items()
    ).with_columns(declared_on=pl.col("declared_at").dt.convert_time_zone("Asia/Shanghai").dt.date())
    chosen = complete.filter(pl.Series(rng.random(complete.height) < 0.4))
    delay = rng.integers(0, 6, chosen.height)
    rows = chosen.select(
        *LINE_KEY,
        inspected_on=pl.col("declared_on"),
        reported_on=pl.col("declared_on") + pl.duration(days=pl.Series(delay)),
        selection=pl.lit("risk"),
        undervaluation=pl.Series(rng.random(chosen.height) < 0.3),
        prohibited_item=pl.Series(rng.random(chosen.height) < 0.1),
        food_safety=pl.lit(None, dtype=pl.Boolean),
    )
    later = rows.filter(pl.Series(rng.random(rows.height) < 0.3)).with_columns(
        reported_on=pl.col("reported_on") + pl.duration(days=3),
        undervaluation=pl.lit(None, dtype=pl.Boolean),
        prohibited_item=~pl.col("prohibited_item"),
        food_safety=pl.lit(value=True),
    )
    days_list = sorted(complete["declared_on"].unique())
    return SmallWorld(complete, pl.concat([rows, later]), days_list)


def replay(world: SmallWorld, settings: Settings) -> list[tuple[date, FeatureSet, History]]:
    config = settings.pipeline.features
    reference = load_reference(settings.overlay)
    levels = config.peers.columns_by_level
    specs = key_specs(config.history)
    labels = sorted({risk.label for risk in settings.risks.values()})
    history = History.empty(config.history, labels, sketch_names(levels))
    reports = increments(world.inspections, history.labels).join(
        world.declarations.drop("declared_on"), on=LINE_KEY, how="inner"
    )
    steps = []
    for day in world.days:
        on_day = reference.on(day)
        lines = prepare_lines(world.declarations.filter(declared_on=day).drop("declared_on"), on_day, config)
        today = day_tables(lines, day, history, config)
        context = DayContext(day, history, today, config)
        features = assemble(lines, context, on_day, list(settings.risks.values()))
        reported = prepare_lines(reports.filter(reported_on=day), on_day, config)
        results = result_tables(reported, specs, history.labels) if reported.height else {}
        history = fold(history, day, today, results, config.history)
        steps.append((day, features, history))
    return steps

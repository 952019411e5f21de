"""The public Korean import declarations: train on 2020, score the first quarter of 2021, compare with looking
rows up.

Usage: python -m benchmarks.korea [--work DIR]. Needs the folder ../shared/korea beside the checkout.

The published data repeats itself: most later rows have an exact (heading, origin, unit price) of an earlier
one, and looking its fraud rate up beats the published models. So the lookup stands beside the model, and rows
without such a twin apart.

The quarter is scored twice by the nightly job: with its results withheld, as the published models were
judged, and with results coming in on their day, as it would run. Intervals: Wilson for precision, bootstrap
over days for the AUC.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from configs.loader import load_settings
from models.metrics import Areas, bootstrap_weights, capacity_lines, interval, precision_at, ranking
from pipelines.ingest import ingest
from pipelines.progress import Progress
from pipelines.score import score
from pipelines.store import Store
from pipelines.train import train

KOREA = Path(__file__).resolve().parents[2] / "shared" / "korea"
RESULT = Path(__file__).resolve().parent / "results" / "korea.md"
TWIN = ["HS6 Code", "Country of Origin", "price"]
QUARTER = (date(2021, 1, 1), date(2021, 3, 31))
LABELS = ["Fraud", "Critical Fraud"]


def read(name: str) -> pl.DataFrame:
    """A file of the table with the unit price to 4 decimals, the fraud flag, and the day as a number."""
    text = pl.read_csv(KOREA / name, infer_schema=False)
    price = pl.col("Item Price").cast(pl.Float64) / pl.col("Net Mass").cast(pl.Float64)
    return text.with_columns(
        price.round(4).alias("price"),
        (pl.col("Fraud") == "1").alias("found"),
        pl.col("Date").str.to_date().to_physical().alias("day"),
    )


def lookup(past: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """The fraud rate of the row's twins in the past, the rate of all where it has none, and whether it has
    one."""
    rates = past.group_by(TWIN).agg(pl.col("found").mean().alias("lookup"))
    joined = later.join(rates, on=TWIN, how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("lookup").is_not_null().alias("twin"), pl.col("lookup").fill_null(past["found"].mean())
    )


def nightly(work: Path, later: Path, *, with_results: bool) -> pl.DataFrame:
    """Ingests, trains on 2020 and scores the quarter in a store of its own; probabilities by declaration."""
    settings, progress = load_settings(), Progress.on_terminal()
    store = work / ("operation" if with_results else "withheld")
    ingest(
        [KOREA / "train.csv", later],
        store,
        source="table",
        mapping="korea",
        settings=settings,
        progress=progress,
    )
    report = train(
        store, risks=["undervaluation"], until=date(2020, 12, 31), settings=settings, progress=progress
    )
    print("\n".join(report.lines()))
    score(
        store,
        first=QUARTER[0],
        last=QUARTER[1],
        workers=None,
        threads=None,
        scheduler=None,
        settings=settings,
        progress=progress,
    )
    opened = Store.open(store)
    files = [
        file
        for day in opened.days("scores")
        for file in sorted((opened.path / opened.partition("scores", day)).glob("*.parquet"))
    ]
    return pl.concat(pl.read_parquet(file, hive_partitioning=False) for file in files).select(
        pl.col("declaration_id").alias("Declaration ID"), pl.col("undervaluation").alias("score")
    )


def figures(rows: pl.DataFrame, column: str) -> str:
    """AUC and precision at 5 and 10% of a score as cells of a table."""
    found, scores = rows["found"].to_numpy(), rows[column].to_numpy()
    areas = Areas.of(scores, found)
    low, high = interval(
        areas.auc(bootstrap_weights(rows["day"].to_numpy().astype(np.int64), draws=300, seed=1))
    )
    ties = rows["Declaration ID"].hash(seed=1).to_numpy()
    ranked = found[ranking(scores, ties)]
    cells = [f"{float(areas.auc(np.ones(len(found)))):.3f} [{low:.3f}, {high:.3f}]"]
    for share in (0.05, 0.10):
        at = precision_at(ranked, capacity_lines(share, len(found)))
        cells.append(f"{at.value:.3f} [{at.low:.3f}, {at.high:.3f}]")
    return " | ".join(cells)


def report(later: pl.DataFrame, scores: Mapping[str, str]) -> str:
    """The tables of all rows and of the rows without a twin."""
    said = []
    for title, rows in {"All rows": later, "Rows without a twin": later.filter(~pl.col("twin"))}.items():
        said += [f"## {title}: {rows.height:,} rows, {int(rows['found'].sum()):,} findings", ""]
        said += ["| score | AUC | precision at 5% | precision at 10% |", "|---|---|---|---|"]
        said += [f"| {name} | {figures(rows, column)} |" for column, name in scores.items()] + [""]
    return "\n".join(said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, help="folder for the stores; default: a temporary one")
    given = parser.parse_args()
    if not KOREA.is_dir():
        print(f"skipped: expected the public Korean table in {KOREA}, which is not there")
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        work = given.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        bare = work / "valid_without_results.csv"
        pl.read_csv(KOREA / "valid.csv", infer_schema=False).drop(LABELS).write_csv(bare)
        shutil.copyfile(KOREA / "valid.csv", work / "valid.csv")
        later = lookup(read("train.csv"), read("valid.csv"))
        for column, path, with_results in (
            ("withheld", bare, False),
            ("operation", work / "valid.csv", True),
        ):
            got = nightly(work, path, with_results=with_results).rename({"score": column})
            later = later.join(got, on="Declaration ID", how="left", maintain_order="left")
    assert not later["withheld"].null_count(), "a row has no score"
    text = (
        "# Korean import declarations, first quarter of 2021\n\nMade by `python -m benchmarks.korea`.\n\n"
        + report(
            later,
            {
                "withheld": "undervaluation model, results of the quarter withheld",
                "operation": "undervaluation model, results coming in on their day",
                "lookup": "lookup of (heading, origin, unit price)",
            },
        )
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(text, encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""What a reader of all published files can work out of what is not shown, by linear programs of our own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import openpyxl
import polars as pl
import pytest
from scipy.optimize import linprog

from configs.loader import load_settings
from configs.schema.settings import Settings
from configs.schema.statistics import StatisticsConfig
from pipelines.cli.main import run
from pipelines.statistics.day_cells import PAIR_SCHEMA
from pipelines.statistics.kept_sums import MONTH_SCHEMA
from pipelines.statistics.line_values import CELL_KEY
from pipelines.statistics.make_statistics import make_statistics
from pipelines.statistics.suppression.suppress import Suppressed, suppress
from pipelines.work.progress import Progress
from tests.pipelines.documents_in_store import make_documents
from tests.pipelines.statistics.drawn_store import LONG_AGO

LEAST, INTERVAL = 3, 0.5
OCTOBER = date(2026, 10, 1)
SHEETS = {
    "By supervision mode": "trade_mode", "By partner country": "partner", "By chapter": "hs2",
    "By heading": "hs4", "By office": "customs_office",
}  # fmt: skip
FIGURES = ("value_cny", "value_usd", "lines", "net_weight_kg", "returned_value_cny")
HIDDEN = "not shown"


def lines_of(seed: int, parcels: int) -> list[dict[str, Any]]:
    """Lines of few large sellers and many small ones: some cells, partners and headings have one or two."""
    draw = Random(seed)
    rows = []
    for number in range(parcels):
        seller = draw.choices(range(14), [40, 30, 20, 10, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1])[0]
        is_import = draw.random() < 0.75
        partner = draw.choices(["JP", "US", "KR", "DE", "IS"], [40, 30, 20, 9, 1])[0]
        rows.append(
            {
                "declaration_id": f"INV{number:05d}",
                "line_no": 1,
                "declared_at": datetime(2026, 10, 1, 6, tzinfo=UTC) + timedelta(days=number % 20),
                "direction": "import" if is_import else "export",
                "trade_mode": draw.choices(["9610", "1210"] if is_import else ["9610", "9810"], [4, 1])[0],
                "customs_office": draw.choices(["2991", "5144", "4601"], [5, 3, 1])[0],
                "seller_id": f"S{seller}",
                "origin_country": partner,
                "destination_country": partner,
                "hs_code": draw.choices(["330499", "330410", "620342", "620462", "970110"], [9, 6, 6, 3, 1])[
                    0
                ],
                "quantity": 1.0,
                "unit": "011",
                "total_price": round(draw.lognormvariate(4.0, 1.5), 2),
                "currency": "CNY",
                "net_weight_kg": round(draw.uniform(0.1, 4.0), 3),
            }
        )
    return rows


def with_suppression(least: int) -> Settings:
    settings = load_settings()
    config = StatisticsConfig(least_enterprises=least, least_interval=INTERVAL)
    pipeline = settings.pipeline.model_copy(update={"statistics": config})
    return settings.model_copy(update={"pipeline": pipeline})


def publish(store: Path, out: Path, least: int) -> Path:
    make_statistics(
        store, settings=with_suppression(least), progress=Progress.silent(), now=LONG_AGO, first=OCTOBER,
        last=OCTOBER, out=out,
    )  # fmt: skip
    return out / "month=2026-10"


@dataclass(frozen=True)
class Published:
    """What stands in the files of a month: cells, and the totals and entries of the workbook."""

    cells: pl.DataFrame
    totals: dict[str, dict[str, float]]
    entries: dict[tuple[str, str, str], dict[str, float] | None]

    @classmethod
    def read(cls, folder: Path) -> Published:
        cells = pl.read_parquet(folder / "statistics.parquet", hive_partitioning=False)
        book = openpyxl.load_workbook(folder / "statistics.xlsx")
        totals = {}
        names = [cell.value for cell in book["Totals"][1]]
        places = {
            "value_cny": "value, CNY", "value_usd": "value, USD", "lines": "lines",
            "net_weight_kg": "net weight, kg", "returned_value_cny": "returned, CNY",
        }  # fmt: skip
        for row in book["Totals"].iter_rows(min_row=2, values_only=True):
            totals[str(row[0])] = {key: row[names.index(name)] for key, name in places.items()}
        entries: dict[tuple[str, str, str], dict[str, float] | None] = {}
        for sheet, dimension in SHEETS.items():
            names = [cell.value for cell in book[sheet][1]]
            for row in book[sheet].iter_rows(min_row=2, values_only=True):
                found = {key: row[names.index(places[key])] for key in ("value_cny", "value_usd")}
                code = str(row[1]).split(" ")[0]
                shown = None if HIDDEN in found.values() else found
                entries[(dimension, str(row[0]), code)] = shown
            # Nothing else of entries is published.
            assert len(names) == 4
        return cls(cells, totals, entries)

    def intervals(self, figure: str) -> Iterator[tuple[str, tuple[Any, ...], float, float]]:
        """What every suppressed cell and entry may be, given all that is published of a figure."""
        hidden = self.cells.filter(pl.col("lines").is_null())
        shown = self.cells.filter(pl.col("lines").is_not_null())
        rows: list[np.ndarray] = []
        known: list[float] = []

        def members(frame: pl.DataFrame, dimension: str, direction: str, code: str) -> np.ndarray:
            return (
                frame.select((pl.col("direction") == direction) & (pl.col(dimension) == code))
                .to_series()
                .to_numpy()
            )

        def add(of_hidden: np.ndarray, of_shown: np.ndarray, total: float) -> None:
            rows.append(of_hidden.astype(float))
            known.append(total - float(shown[figure].to_numpy()[of_shown].sum()))

        for name, total in self.totals.items():
            if total[figure] == HIDDEN:
                continue
            parts = [
                np.ones(frame.height, dtype=bool)
                if name == "all"
                else members(frame, "direction", name, name)
                for frame in (hidden, shown)
            ]
            add(parts[0], parts[1], total[figure])
        for (dimension, direction, code), entry in self.entries.items():
            if entry is not None and figure in entry:
                add(
                    members(hidden, dimension, direction, code),
                    members(shown, dimension, direction, code),
                    entry[figure],
                )
        matrix, right = np.array(rows), np.array(known)
        for number, cell in enumerate(hidden.select(CELL_KEY).rows()):
            gain = np.zeros(hidden.height)
            gain[number] = 1.0
            yield ("cell", cell, *ends(gain, matrix, right))
        for (dimension, direction, code), entry in self.entries.items():
            if entry is None and figure in ("value_cny", "value_usd"):
                gain = members(hidden, dimension, direction, code).astype(float)
                base = float(shown[figure].to_numpy()[members(shown, dimension, direction, code)].sum())
                low, high = ends(gain, matrix, right)
                yield ("entry", (dimension, direction, code), low + base, high + base)


def ends(gain: np.ndarray, matrix: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    # Published sums are rounded: what is known is known to a hair.
    slack = 1e-6
    both, limits = np.vstack([matrix, -matrix]), np.concatenate([right + slack, -right + slack])
    found = []
    for sign in (1.0, -1.0):
        result = linprog(sign * gain, A_ub=both, b_ub=limits, bounds=(0, None), method="highs")
        assert result.status == 0, result.message
        found.append(sign * result.fun)
    return found[0], found[1]


def too_close(published: Published, truth: pl.DataFrame, figure: str) -> list[tuple[Any, ...]]:
    """What is bounded more closely than configured."""
    found = []
    for kind, key, low, high in published.intervals(figure):
        if kind == "cell":
            same = [pl.col(name).eq_missing(pl.lit(value)) for name, value in zip(CELL_KEY, key, strict=True)]
            value = truth.filter(*same)[figure][0]
        else:
            dimension, direction, code = key
            rows = truth.filter(pl.col("direction") == direction, pl.col(dimension) == code)
            value = rows[figure].sum()
        assert low - 1e-3 <= value <= high + 1e-3
        if high - low < INTERVAL * value - 1e-3:
            found.append((kind, key, low, value, high))
    return found


@pytest.fixture(scope="module", params=[(3, 260), (8, 900), (21, 2500)], ids=["sparse", "middle", "dense"])
def issued(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path, Path]:
    """A store, its statistics in full, and those without small cells."""
    folder = tmp_path_factory.mktemp("suppressed")
    lines = lines_of(*request.param)
    returned = [
        {
            "declaration_id": line["declaration_id"], "line_no": 1, "own_number": f"R{number}",
            "quantity": 1.0, "unit": "011", "action": "new",
            "sent_at": line["declared_at"] + timedelta(days=2),
        }
        for number, line in enumerate(lines[::40])
    ]  # fmt: skip
    make_documents(folder / "S", lines, returns=returned)
    full = publish(folder / "S", folder / "full", 0)
    return folder / "S", full, publish(folder / "S", folder / "hidden", LEAST)


@pytest.mark.parametrize("figure", FIGURES)
def test_no_linear_program_bounds_what_is_not_shown(issued: tuple[Path, Path, Path], figure: str) -> None:
    _, full, hidden = issued
    truth = pl.read_parquet(full / "statistics.parquet", hive_partitioning=False)
    published = Published.read(hidden)
    assert published.cells["lines"].null_count() > 0
    assert too_close(published, truth, figure) == []


def test_small_cells_are_marked_and_totals_kept(issued: tuple[Path, Path, Path]) -> None:
    store, full, hidden = issued
    truth = pl.read_parquet(full / "statistics.parquet", hive_partitioning=False)
    published = Published.read(hidden)
    lines = pl.read_parquet(store / "declarations/*/*.parquet", hive_partitioning=False)
    partner = pl.when(pl.col("direction") == "import").then("origin_country").otherwise("destination_country")
    counts = lines.group_by(
        "direction", "trade_mode", partner.alias("partner"), pl.col("hs_code").str.slice(0, 2).alias("hs2"),
        pl.col("hs_code").str.slice(0, 4).alias("hs4"), "customs_office",
    ).agg(pl.col("seller_id").n_unique().alias("sellers"))  # fmt: skip
    cells = published.cells.join(counts, on=CELL_KEY, nulls_equal=True)
    assert cells.height == published.cells.height == truth.height
    shown = cells.filter(pl.col("lines").is_not_null())
    assert (shown["sellers"] >= LEAST).all()
    both = shown.join(truth, on=CELL_KEY, suffix="_true")
    assert both["value_cny"].equals(both["value_cny_true"])
    marked = cells.filter(pl.col("lines").is_null())
    assert marked.select(pl.all_horizontal(pl.col("declarations", *FIGURES).is_null())).to_series().all()
    for figure in FIGURES:
        assert published.totals["all"][figure] == pytest.approx(truth[figure].sum())
        assert published.totals["import"][figure] == pytest.approx(
            truth.filter(direction="import")[figure].sum()
        )


def test_hiding_only_the_small_cells_would_give_some_away(issued: tuple[Path, Path, Path]) -> None:
    """The programs of this test see what is given away."""
    _, full, hidden = issued
    truth = pl.read_parquet(full / "statistics.parquet", hive_partitioning=False)
    published = Published.read(hidden)
    first = truth.with_row_index().filter(pl.col("direction") == "import")["index"][0]
    is_first = pl.int_range(pl.len()) == first
    cells = truth.with_columns(pl.when(~is_first).then(pl.col(name)).alias(name) for name in FIGURES)
    assert too_close(Published(cells, published.totals, {}), truth, "value_cny")


def test_what_was_not_shown_once_is_not_shown_later(tmp_path: Path) -> None:
    lines = lines_of(8, 900)
    make_documents(tmp_path / "S", lines)
    before = Published.read(publish(tmp_path / "S", tmp_path / "one", LEAST))
    again = Published.read(publish(tmp_path / "S", tmp_path / "two", 2))
    was = set(before.cells.filter(pl.col("lines").is_null()).select(CELL_KEY).rows())
    now = set(again.cells.filter(pl.col("lines").is_null()).select(CELL_KEY).rows())
    assert was <= now


def cells_with(values: Mapping[tuple[str, ...], tuple[int, int]]) -> tuple[pl.DataFrame, pl.LazyFrame]:
    """Cells by key with their value in fen and how many enterprises each has."""
    rows, pairs = [], []
    for key, (value, enterprises) in values.items():
        place = dict(zip(CELL_KEY, key, strict=True))
        rows.append(dict.fromkeys(MONTH_SCHEMA, 1) | place | {"value_fen": value, "value_cents": value})
        pairs += [place | {"enterprise": number} for number in range(enterprises)]
    return pl.DataFrame(rows, MONTH_SCHEMA), pl.LazyFrame(pairs, PAIR_SCHEMA)


def hide(values: Mapping[tuple[str, ...], tuple[int, int]]) -> Suppressed:
    cells, pairs = cells_with(values)
    return suppress(cells, pairs, StatisticsConfig(least_enterprises=3), None)


def test_a_direction_of_few_enterprises_takes_the_other_with_it() -> None:
    many = {
        ("import", mode, country, "33", "3304", office): (1000 * (number + 1), 9)
        for number, (mode, country, office) in enumerate(
            (mode, country, office)
            for mode in ("9610", "1210")
            for country in ("JP", "KR")
            for office in "AB"
        )
    }
    found = hide(many | {("export", "9610", "US", "62", "6203", "A"): (500, 1)})
    assert found.hides_directions
    assert found.entries.filter(dimension="direction").height == 2
    assert not hide(many).cells["suppressed"].any()


def test_a_month_of_few_enterprises_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (line, *_) = lines_of(1, 1)
    make_documents(tmp_path / "S", [line])
    command = ["statistics", "--store", str(tmp_path / "S"), "--month", "2026-10"]
    assert run([*command, "--least-enterprises", "3"]) == 2
    assert "expected enough cells" in caplog.text
    assert not (tmp_path / "S/statistics").exists()
    assert run(command) == 0

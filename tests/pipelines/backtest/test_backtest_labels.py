"""A backtest of declarations whose lines all have results, in a world made so that it is known who should
win.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from configs.loader import load_settings
from configs.schema.gate import GateConfig
from pipelines.backtest import BacktestReport, Plan, backtest
from pipelines.backtest.worth import PastHitRates, parcels_by_price
from pipelines.store.store import Store
from pipelines.work.progress import Progress
from tests.pipelines.taken_in import take_in

DAYS = [date(2026, 3, 1) + timedelta(days=step) for step in range(16)]
FIRST, LAST = DAYS[8], DAYS[14]
PARCELS = 40
DELAY = 2


def made_lines() -> pl.DataFrame:
    """Forty parcels a day of ten sellers; two of them always cheat, with the lowest prices."""
    rows = []
    for day in DAYS:
        for number in range(PARCELS):
            seller, office = number % 10, "0100" if number % 3 else "0200"
            rows.append(
                {
                    "declaration_id": f"{day:%m%d}-{number:03d}",
                    "line_no": 1,
                    "declared_at": datetime(day.year, day.month, day.day, 4, tzinfo=UTC),
                    "customs_office": office,
                    "trade_mode": "9610",
                    "seller_id": f"S{seller}",
                    "hs_code": "950300",
                    "total_price": 10.0 + seller,
                    "currency": "CNY",
                }
            )
    return pl.DataFrame(rows)


def made_results(lines: pl.DataFrame) -> pl.DataFrame:
    declared = pl.col("declared_at").dt.date()
    return lines.select(
        "declaration_id",
        "line_no",
        declared.alias("inspected_on"),
        declared.dt.offset_by(f"{DELAY}d").alias("reported_on"),
        pl.lit("random").alias("selection"),
        pl.col("seller_id").is_in(["S0", "S1"]).alias("undervaluation"),
    )


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, settings = tmp_path_factory.mktemp("labelled") / "S", load_settings()
    lines = made_lines()
    take_in(path, lines, made_results(lines), settings=settings)
    return path


@pytest.fixture(scope="module")
def report(labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> BacktestReport:
    return run(labelled, tmp_path_factory.mktemp("out") / "B")


def run(store: Path, out: Path, *, pooled: bool = False) -> BacktestReport:
    settings = load_settings()
    capacity = settings.capacity.model_copy(
        update={"default": settings.capacity.default.model_copy(update={"parcels": 3})}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        return backtest(
            store,
            plan=Plan(FIRST, LAST, 7, pooled=pooled),
            strategies=["random", "price", "past-hit-rate"],
            out=out,
            # A week of six parcels a night has few findings, and its hit rates are looked at.
            settings=settings.model_copy(
                update={
                    "capacity": capacity,
                    "pipeline": settings.pipeline.model_copy(update={"gate": GateConfig(least_findings=1)}),
                }
            ),
            progress=Progress.silent(),
        )


def test_the_past_hit_rate_wins_where_only_the_seller_tells(report: BacktestReport) -> None:
    totals = {row["strategy"]: row for row in report.totals.iter_rows(named=True)}
    nights = len(DAYS[8:15])
    assert {row["opened"] for row in totals.values()} == {2 * 3 * nights}
    assert totals["past-hit-rate"]["hit_rate"] == 1.0
    assert totals["price"]["findings"] == 0
    assert totals["random"]["hit_rate_low"] < 0.2 < totals["random"]["hit_rate_high"]


def test_no_tax_is_known_and_the_report_says_so(report: BacktestReport) -> None:
    assert not report.knows_tax
    said = "\n".join(report.lines())
    assert "these results tell no recovered tax" in said
    assert "recovered tax, CNY" not in said
    assert "results from the results that every line has" in said


def test_results_come_as_late_after_the_opening_as_in_the_store(report: BacktestReport) -> None:
    own = Store.open(report.folder / "work/random")
    mine = own.read_inspections().filter(pl.col("inspected_on") > FIRST)
    assert mine.height > 0
    assert ((mine["reported_on"] - mine["inspected_on"]).dt.total_days() == DELAY).all()
    shown = pl.read_parquet(own.path / "nights/*/shown.parquet")
    assert (shown["selection"] == "random").all()
    # Opened on the day after the declaration.
    day = pl.concat_str(pl.lit("2026"), pl.col("declaration_id").str.slice(0, 4)).str.to_date("%Y%m%d")
    assert shown.select((pl.col("inspected_on") - day).dt.total_days().alias("wait"))[
        "wait"
    ].unique().to_list() == [1]


def test_pooled_offices_have_one_list(labelled: Path, tmp_path: Path) -> None:
    pooled = run(labelled, tmp_path / "B", pooled=True)
    assert pooled.totals["opened"].unique().to_list() == [3 * len(DAYS[8:15])]


def test_one_line_without_a_result_is_too_few(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli.main import run as command

    path, lines = tmp_path / "S", made_lines()
    results = made_results(lines).filter(pl.col("declaration_id") != f"{FIRST:%m%d}-005")
    take_in(path, lines, results, settings=load_settings())
    code = command(
        ["backtest", "--store", str(path), "--from", str(FIRST), "--to", str(LAST), "--strategy", "random"]
    )
    assert code == 2
    assert "1 have none" in capsys.readouterr().err


def test_a_seller_without_a_past_has_the_rate_of_its_heading() -> None:
    inspected = pl.DataFrame(
        {
            "seller_id": ["a"] * 20 + ["b"] * 20,
            "hs_code": ["950300"] * 40,
            "found": [True] * 20 + [False] * 20,
        }
    )
    rates = PastHitRates(inspected, smoothing=20.0)
    lines = pl.DataFrame({"seller_id": ["a", "new", "b", None], "hs_code": ["9503", "9503", "9503", "1234"]})
    a, new, b, nothing = rates.of(lines)
    assert a > new > b
    # (20 findings + 20 x 0.01) of (40 + 20), pulled towards by the heading's 20 of 40.
    assert nothing == pytest.approx(20.2 / 60)
    assert new == pytest.approx((20 + 20 * nothing) / 60)


def test_a_price_without_an_exchange_rate_counts_nothing() -> None:
    from configs.reference.facts import load_reference

    lines = pl.DataFrame(
        {
            "declaration_id": ["A", "A", "B"],
            "line_no": [1, 2, 1],
            "customs_office": "0100",
            "direction": "import",
            "trade_mode": "9610",
            "seller_id": "s",
            "buyer_id": "b",
            "total_price": [5.0, 6.0, 7.0],
            "currency": ["CNY", "CNY", "XXX"],
        }
    )
    parcels = parcels_by_price(lines, load_reference().on(date(2026, 3, 1)))
    assert parcels.select("declaration_id", "expected_value_cny").rows() == [("A", 11.0), ("B", 0.0)]

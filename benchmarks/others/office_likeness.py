"""How an office's data looks beside what the simulator makes: what our worlds make easier than they should.

    python -m benchmarks.others.office_likeness [--officers KIND ...] [--parcels-per-day N] [--seed K]

The office's days up to 30 September 2026 and what was reported by then, nothing later: the days after it are
kept to judge models on. Beside them worlds of the simulator of the same length and volume. Nothing is
fitted: the figures say what to distrust. Without the office's data the script says so and ends.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from features.contract.declarations import LINE_KEY
from features.contract.inspections import CONTRACT_LABELS
from features.history.results import known_labels
from models.stats.intervals import wilson
from pipelines.simulation import Inspectorate, World, WorldParameters, simulate_days
from pipelines.simulation.world.parameters import OFFICERS

OFFICE: Final = Path(__file__).resolve().parents[3] / "shared" / "office"
LAST: Final = date(2026, 9, 30)
"""The last day looked at: of declarations, and of reports."""
_MATURE: Final = timedelta(days=23)
_PARCELS, _SEED = 5000, 9601
_COMMON = 50
"""Lines of a heading, and a tenth of it those of one name, from which a spread of prices is measured."""


@dataclass(frozen=True)
class Source:
    """Declarations (with `day`, China's date) and all results reported by the last of their days."""

    name: str
    lines: pl.DataFrame
    results: pl.DataFrame

    @property
    def last(self) -> date:
        """The last day of the declarations."""
        day = self.lines["day"].max()
        assert isinstance(day, date)
        return day

    def opened(self) -> pl.DataFrame:
        """Parcels whose results had time to come: key, `lines`, and if opened `examined` lines, `channel`."""
        parcels = (
            self.lines.filter(pl.col("day") <= self.last - _MATURE)
            .group_by("declaration_id")
            .agg(lines=pl.len())
        )
        reported = self.results.group_by("declaration_id").agg(
            channel=_CHANNEL.first(), examined=pl.col("line_no").n_unique()
        )
        return parcels.join(reported, on="declaration_id", how="left")

    def examined(self) -> pl.DataFrame:
        """Inspected lines: the last known value of each label, and the channel."""
        channel = self.results.group_by(LINE_KEY).agg(channel=_CHANNEL.first())
        return known_labels(self.results, date.max).join(channel, on=LINE_KEY)


_CHANNEL: Final = pl.concat_str(
    pl.col("selection").fill_null("not known"),
    pl.when(pl.col("inspection_probability").is_null())
    .then(pl.lit(""))
    .otherwise(pl.lit(" with its chance")),
)


def office(folder: Path = OFFICE) -> Source:
    """The office's days up to the last that may be looked at."""
    day = pl.col("declared_at").dt.convert_time_zone("Asia/Shanghai").dt.date()
    lines = pl.scan_parquet(sorted(folder.glob("declarations/*.parquet"))).with_columns(day=day)
    results = pl.scan_parquet(sorted(folder.glob("inspections/*.parquet")))
    return Source(
        "the office",
        lines.filter(pl.col("day") <= LAST).collect(),
        results.filter(pl.col("reported_on") <= LAST).collect(),
    )


def simulated(name: str, parameters: WorldParameters, days: int, parcels: int, seed: int) -> Source:
    """A world of the simulator that ends on the same day."""
    inspectorate, lines, results = Inspectorate(), [], []
    world = World.make(seed, parameters)
    for day in simulate_days(world, days, parcels, LAST):
        inspectorate.inspect(day)
        lines.append(day.declarations.with_columns(day=pl.lit(day.day)))
    results = [frame for _, frame in inspectorate.reports_until(LAST)]
    return Source(name, pl.concat(lines), pl.concat(results))


Figures = dict[str, str]


def volumes(source: Source) -> Figures:
    """Parcels, lines and parties."""
    lines = source.lines
    sellers = lines["seller_id"].drop_nulls().value_counts()["count"].sort(descending=True)
    largest = sellers.head(max(len(sellers) // 100, 1))
    parcels = lines["declaration_id"].n_unique()
    return {
        "parcels a day": f"{parcels / lines['day'].n_unique():,.0f}",
        "lines a parcel": f"{lines.height / parcels:.2f}",
        "offices": str(lines["customs_office"].n_unique()),
        "sellers for 1,000 parcels": f"{1000 * len(sellers) / parcels:.0f}",
        "of them seen once": f"{(sellers == 1).mean():.0%}",
        "lines of the largest 1% of sellers": f"{largest.sum() / sellers.sum():.0%}",
    }


def selections(source: Source) -> Figures:
    """Parcels opened, by channel."""
    parcels = source.opened()
    opened = parcels.filter(pl.col("channel").is_not_null())
    figures = {"parcels opened": _share(opened.height, parcels.height)}
    for channel, count in opened["channel"].value_counts().sort("channel").iter_rows():
        figures[f"opened: {channel}"] = _share(count, parcels.height)
    figures["lines examined of an opened parcel"] = f"{opened['examined'].sum() / opened['lines'].sum():.0%}"
    figures["results a line"] = f"{source.results.height / max(source.results.n_unique(LINE_KEY), 1):.2f}"
    return figures


def findings(source: Source) -> Figures:
    """Findings and lines without a result, by risk and channel."""
    figures = {}
    for label in CONTRACT_LABELS:
        for channel, group in sorted(source.examined().group_by("channel")):
            known = group[label].drop_nulls()
            figures[f"{label}, {channel[0]}: findings"] = _share(int(known.sum()), len(known))
            figures[f"{label}, {channel[0]}: not examined"] = (
                f"{group[label].null_count() / group.height:.0%}"
            )
    return figures


def delays(source: Source) -> Figures:
    """Days from an inspection to its report; results that are not there yet count in none."""
    mature = source.results.filter(pl.col("inspected_on") <= source.last - _MATURE)
    days = (pl.col("reported_on") - pl.col("inspected_on")).dt.total_days()
    figures = {}
    for label in CONTRACT_LABELS:
        known = mature.filter(pl.col(label).is_not_null()).select(days.alias("days"))["days"]
        spread = [known.quantile(at) for at in (0.5, 0.95)]
        figures[f"{label}: days to the report, median and 95%"] = " / ".join(
            f"{at:.0f}" for at in spread if at is not None
        )
    return figures


def prices(source: Source) -> Figures:
    """Spread of all prices (log scale, robust), and what share of the assessed price was declared."""
    priced = source.lines.filter(pl.col("unit_price") > 0).with_columns(log=pl.col("unit_price").log())
    figures = {}
    for name, keys, least in (
        ("a heading", ["hs_code", "currency"], _COMMON),
        ("a heading and seller", ["hs_code", "currency", "seller_id"], _COMMON // 5),
        ("a name", ["item_name", "currency"], _COMMON // 5),
        ("a name and seller", ["item_name", "currency", "seller_id"], _COMMON // 5),
    ):
        # Half of the distance of the quartiles over 0.674 is the standard deviation of a normal spread.
        quartiles = (pl.col("log").quantile(0.75) - pl.col("log").quantile(0.25)) / 1.349
        groups = priced.drop_nulls(keys).group_by(keys).agg(spread=quartiles, lines=pl.len())
        spread = groups.filter(pl.col("lines") >= least)["spread"].median()
        figures[f"spread of prices within {name}"] = "–" if spread is None else f"{spread:.2f}"
    found = (
        source.results.filter(pl.col("undervaluation"))
        .unique(LINE_KEY)
        .join(source.lines, on=LINE_KEY)
        .select(share=pl.col("unit_price") / pl.col("assessed_unit_price"))["share"]
        .drop_nulls()
    )
    share = "–" if found.is_empty() else f"{found.median():.2f}"
    figures["declared of the assessed price, median"] = f"{share} (n {len(found)})"
    return figures


def repeats(source: Source) -> Figures:
    """How many findings share something with another finding, and so could be foreseen by its key alone."""
    figures = {}
    for label in CONTRACT_LABELS:
        found = source.examined().filter(label).join(source.lines, on=LINE_KEY)
        for key in ("seller_id", "address_id", "item_name", "hs_code"):
            # Lines of one parcel are one case.
            cases = found.drop_nulls(key).unique(["declaration_id", key])
            shared = int(cases[key].is_duplicated().sum())
            figures[f"{label}: findings that share their {key} with another"] = _share(shared, cases.height)
    return figures


def texts(source: Source) -> Figures:
    """Lengths of names, and how many there are."""
    names = source.lines["item_name"].drop_nulls()
    lengths = names.str.len_chars()
    return {
        "characters of a name, median and 95%": f"{lengths.median():.0f} / {lengths.quantile(0.95):.0f}",
        "different names for 1,000 lines": f"{1000 * names.n_unique() / len(names):.0f}",
        "lines whose name stands once": f"{(~names.is_duplicated()).mean():.0%}",
    }


def nulls(source: Source) -> Figures:
    """Share of lines without a value, by column."""
    columns = [name for name in source.lines.columns if name not in ("day", *LINE_KEY)]
    return {
        f"null: {name}": f"{source.lines[name].null_count() / source.lines.height:.1%}" for name in columns
    }


PARTS: Final[tuple[Callable[[Source], Figures], ...]] = (
    volumes, selections, findings, repeats, delays, prices, texts, nulls,
)  # fmt: skip


def table(sources: list[Source]) -> str:
    """All figures as a table, a column a source."""
    lines = [
        "| figure | " + " | ".join(source.name for source in sources) + " |",
        "|---|" + "---|" * len(sources),
    ]
    for part in PARTS:
        figures = [part(source) for source in sources]
        for name in dict.fromkeys(name for found in figures for name in found):
            lines.append(f"| {name} | " + " | ".join(found.get(name, "–") for found in figures) + " |")
    return "\n".join(lines)


def _share(count: int, of: int) -> str:
    low, high = wilson(count, of)
    return f"{count / max(of, 1):.2%} [{low:.2%}, {high:.2%}] (n {of:,})"


def main() -> int:
    """Print the table, or say that there is nothing to compare with."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--officers", nargs="*", choices=OFFICERS, default=[], help="their worlds beside the default one"
    )
    parser.add_argument("--parcels-per-day", type=int, default=_PARCELS, help="of the worlds")
    parser.add_argument("--seed", type=int, default=_SEED, help="of the worlds")
    given = parser.parse_args()
    if not OFFICE.is_dir():
        print(f"Skipped: expected an office's data in {OFFICE}")
        return 0
    real = office()
    days = real.lines["day"].n_unique()
    usual = WorldParameters.for_volume(given.parcels_per_day)
    worlds = {"default": usual, **{kind: usual.with_officers(kind) for kind in given.officers}}
    made = [simulated(name, world, days, given.parcels_per_day, given.seed) for name, world in worlds.items()]
    print(table([real, *made]))
    return 0


if __name__ == "__main__":
    sys.exit(main())

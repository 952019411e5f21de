"""Do the reasons on the lists name what was done, and are they rarer on other lines?

    python -m benchmarks.reasons --store STORE [--configs DIR] [--out FILE]

STORE is a simulated store with scored days, such as that of `make demo`: only there is the truth known. The
lists are those of its days, the other lines a sample of all lines of the same days.

- *First reasons*: a kind is a sentence without its figures and words of the line. Its lift is the share of
  the listed lines of a risk whose block would say it first, over that share of all lines.
- *Named*: of the listed parcels whose line holds a true finding of the listed risk, those of which the first
  or the second reason speaks of what was done (`_SIGNS`).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from configs.loader import load_settings
from configs.schema.risk import RiskConfig
from configs.schema.settings import Settings
from features.arrays.hashing import drawn_lines
from features.assemble import assemble
from features.contract.declarations import LINE_KEY
from features.history.view import DayContext
from features.words.reasons import NOTHING_STANDS_OUT, reasons
from models.risk.risk_model import RiskModel
from models.stats.intervals import wilson
from pipelines.history.chronicle import Chronicle
from pipelines.scoring.models_in_use import models_in_use
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store

_HEAD = """# Reasons on simulated lists

Written by `python -m benchmarks.reasons`. The packaged words were last changed with lists like those of
`make demo` in view, which flatter them; another seed does not.

"""
_SAMPLE = 3_000
_AT_LEAST = 3.0
_PRICE = r"CNY [\d,.]+(/kg| a unit) (declared|expected)|priced (far|well) below"
_RECORD = r"inspected lines|wording of"
_SIGNS = {
    "under_invoicing": _PRICE,
    "flat_price": _PRICE,
    "cheaper_heading": r"cheaper one|go under|under this heading|kg a (unit|piece)",
    "quantity_understated": r"kg a (unit|piece)|more in it|/kg declared",
    "order_splitting": r"(day|limit of an order)",
    "lone_smuggler": rf"the terms for|vague|disguised|{_RECORD}",
    "smuggling_ring": rf"the terms for|vague|disguised|{_RECORD}|to this address|are new",
    "bad_lot": _RECORD,
    "poor_hygiene": _RECORD,
}
"""By what was done, words of a reason that points to it."""
_SAME = (
    (r"“[^”]*”", "“…”"),
    (r"\d[\d,.:]*%?", "#"),
    (r"\b(?:sender|consignor)", "seller"),
    (r"\b(?:addressee|consignee)", "buyer"),
    (r"\b(from|by way of) [A-Z].*?(?= to this address| by way of| before|,|$)", r"\1 …"),
)


@dataclass
class Told:
    """What the reasons of a risk's listed lines say.

    Attributes:
        entries: listed for the risk, `silent` of them without a single sign.
        first: how often a kind of sentence stands first.
        listed, every: how many lines a kind is said of first by its block, and how many lines there are.
        named: by what was done, true findings and those whose first two reasons speak of it.
    """

    entries: int = 0
    silent: int = 0
    first: Counter[str] = field(default_factory=Counter)
    listed: Counter[str] = field(default_factory=Counter)
    every: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    named: dict[str, list[int]] = field(default_factory=dict)

    def lift(self, kind: str) -> float:
        """How many times as common a kind is on listed lines as on all (half a line where none has it)."""
        return (self.listed[kind] / max(1, self.entries)) / (max(self.every[kind], 0.5) / max(1, self.lines))


def kind_of(sentence: str) -> str:
    """A sentence without figures, codes, countries and quoted words, whatever the way of the parcel.

    >>> kind_of("CNY 9.53 a unit declared; 45 lines of heading 3304 have a median of 293.66")
    'CNY # a unit declared; # lines of heading # have a median of #'
    >>> kind_of("this sender's 12 lines from Viet Nam by way of HK before")
    "this seller's # lines from … by way of … before"
    """
    for pattern, kind in _SAME:
        sentence = re.sub(pattern, kind, sentence)
    return sentence


def measure(store: Store, settings: Settings, days: Sequence[date]) -> dict[str, Told]:
    """By risk, what the lists of some days say. Features of listed and drawn lines are built anew."""
    chronicle, risks = Chronicle(store, settings), list(settings.risks.values())
    used = models_in_use(store, settings.risks).models
    models = {name: RiskModel.load(model.folder) for name, model in used.items()}
    told = {name: Told() for name in models}
    for day in days:
        lists = pl.read_parquet(store.layout.file(DayTable.LISTS, day), hive_partitioning=False)
        entries = lists.filter(pl.col("selection") == "risk").with_columns(pl.col("line_no").cast(pl.Float64))
        lines, eve = chronicle.prepared(day), chronicle.history_before(day)
        context = DayContext(day, eve, chronicle.tables(lines, day, eve), settings.pipeline.features)
        lines = lines.with_columns(pl.col("line_no").cast(pl.Float64))
        drawn = drawn_lines(lines, _SAMPLE)
        wanted = (
            pl.concat([lines.join(entries, on=LINE_KEY, how="semi"), drawn]).unique(LINE_KEY).sort(LINE_KEY)
        )
        built = assemble(wanted, context, chronicle.reference.on(day), risks)
        truth = pl.read_parquet(store.layout.file(DayTable.TRUTH, day), hive_partitioning=False)
        done = truth.with_columns(pl.col("line_no").cast(pl.Float64))
        for name, model in models.items():
            frame = built.for_risk(settings.risks[name])
            of_risk = entries.filter(pl.col("risk") == name).join(done, on=LINE_KEY, how="left")
            _count(told[name], frame, model, settings.risks[name], of_risk, drawn)
    return told


def _count(
    told: Told,
    frame: pl.DataFrame,
    model: RiskModel,
    risk: RiskConfig,
    entries: pl.DataFrame,
    drawn: pl.DataFrame,
) -> None:
    told.entries += entries.height
    told.lines += drawn.height
    told.silent += entries.filter(pl.col("reason_1") == NOTHING_STANDS_OUT).height
    told.first.update(map(kind_of, entries.filter(pl.col("reason_1") != NOTHING_STANDS_OUT)["reason_1"]))
    for counter, wanted in ((told.listed, entries), (told.every, drawn)):
        rows = frame.join(wanted, on=LINE_KEY, how="semi", maintain_order="left")
        worded = pl.concat([rows, model.model_columns(rows)], how="horizontal")
        for block in sorted(set(model.encoder.blocks)):
            alone = reasons(worded, pl.DataFrame({block: np.ones(rows.height)}), risk, count=1)["reason_1"]
            counter.update(map(kind_of, alone.filter(alone != NOTHING_STANDS_OUT)))
    for row in entries.filter(pl.col(risk.label).fill_null(False)).iter_rows(named=True):
        said = [row["reason_1"] or "", row["reason_2"] or ""]
        ways = [way.partition(":")[0] for way in row["mechanism"].split(" + ")]
        signs = [_SIGNS[way] for way in ways if way in _SIGNS]
        found = told.named.setdefault(" + ".join(ways), [0, 0])
        found[0] += 1
        found[1] += any(re.search(sign, sentence) for sign in signs for sentence in said)


def _share(part: int, whole: int) -> str:
    if not whole:
        return "none"
    low, high = wilson(part, whole)
    return f"{part / whole:.0%} [{low:.0%}, {high:.0%}] of {whole:,}"


def report(told: Mapping[str, Told]) -> str:
    """The figures as a page of Markdown."""
    text = [
        "| risk | entries | no single sign | first reasons of a kind at least three times as common | "
        "true findings | named by the first or second reason |",
        "|---|---|---|---|---|---|",
    ]
    for name, risk in told.items():
        firsts = sum(risk.first.values())
        rare = sum(count for kind, count in risk.first.items() if risk.lift(kind) >= _AT_LEAST)
        found, named = (sum(pair[place] for pair in risk.named.values()) for place in (0, 1))
        text.append(
            f"| {name} | {risk.entries:,} | {risk.silent:,} | {_share(rare, firsts)} | {found:,} | "
            f"{_share(named, found)} |"
        )
    text += ["", "| risk | what was done | true findings | named |", "|---|---|---|---|"]
    for name, risk in told.items():
        text += [
            f"| {name} | {way} | {all_:,} | {named:,} |" for way, (all_, named) in sorted(risk.named.items())
        ]
    text += ["", "| risk | first reason | entries | times as common as on all lines |", "|---|---|---|---|"]
    for name, risk in told.items():
        text += [
            f"| {name} | {kind} | {count:,} | {risk.lift(kind):,.1f} |"
            for kind, count in risk.first.most_common(12)
        ]
    return "\n".join([*text, ""])


def main() -> int:
    """Measure a store, print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--store", type=Path, required=True, help="a simulated store with lists")
    parser.add_argument("--configs", type=Path, help="the folder that its lists were made with")
    parser.add_argument("--out", type=Path, help="write the figures here, too")
    given = parser.parse_args()
    store = Store.open(given.store)
    text = report(measure(store, load_settings(given.configs), store.days(DayTable.LISTS)))
    print(text)
    if given.out:
        given.out.write_text(f"{_HEAD}{text}", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

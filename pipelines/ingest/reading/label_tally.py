"""What the labels of a run were made of: which values, how often, what they mean, and what that stops."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from configs.errors import DataError
from configs.messages import MOST_EXAMPLES
from configs.schema.source import LabelColumn, SourceMapping
from features.contract.label_cells import TALLY, LabelCells
from features.contract.result_words import FALSE_WORDS, RESULT_LABELS, result_of
from pipelines.privacy.identity_screen import WITHHELD, holds_a_persons_number

_FEWEST_RESULTS: Final = 200
_MOST_SHOWN: Final = 12
_MOST_CHARS: Final = 40
_NAMES: Final[dict[bool | None, str]] = {True: "true", False: "false", None: "null"}
_LISTS: Final[dict[bool | None, str]] = {True: "true_when", False: "false_when", None: "null_when"}


@dataclass
class LabelTally:
    """By label, the values of a file or a run (`TALLY`; `first` is a row of the file, from 1)."""

    frames: dict[str, pl.DataFrame] = field(default_factory=dict)

    def add(self, cells: Mapping[str, LabelCells], rows: pl.Series) -> None:
        """Count the cells of some rows, whose numbers in the file are `rows`."""
        for label, each in cells.items():
            first = rows[each.tally["first"]].cast(pl.Int64)
            self._put(label, each.tally.with_columns(first.alias("first")))

    def update(self, other: LabelTally) -> None:
        """Count what another file brought."""
        for label, frame in other.frames.items():
            self._put(label, frame)

    def require_covered(self, mapping: SourceMapping, where: str) -> None:
        """Make sure that the mapping says what every value of its labels means.

        Raises:
            DataError: it does not; the message names the values, how often they came, and the lines to add.
        """
        problems = [
            _uncovered(label, rule, self.frames[label])
            for label, rule in mapping.labels.items()
            if label in self.frames and not self.frames[label]["covered"].all()
        ]
        if problems:
            raise DataError(f"{where} with the mapping {mapping.name}: {'. '.join(problems)}")

    def require_both(self, mapping: SourceMapping) -> None:
        """Make sure that no label is the same for all results of a run, where there are enough of them.

        Raises:
            DataError: one is, and the mapping does not say that it may be.
        """
        for label, frame in self.frames.items():
            rule = mapping.labels.get(label)
            known = frame.drop_nulls("label")
            results = int(known["count"].sum())
            if results < _FEWEST_RESULTS or known["label"].n_unique() > 1 or (rule and rule.may_be_constant):
                continue
            value = str(known["label"][0]).lower()
            raise DataError(
                f"the label {label} is {value} for all {results:,} results of this run, so nothing was taken "
                f"in: expected some of both. It was made of {_values(frame)}. If the mapping {mapping.name} "
                "reads the wrong column or the wrong values, correct it; if all of them are the same in "
                f"truth, add under labels.{label}: `may_be_constant: true`"
            )

    def lines(self) -> Iterator[str]:
        """A line a label: its values with what they mean and how often they came."""
        for label, frame in sorted(self.frames.items()):
            yield f"label {label}: {_values(frame)}"

    def as_dict(self) -> dict[str, Any]:
        """By label, how many results are true, false and null, and the commonest values."""
        return {
            label: {
                **{_NAMES[value]: _count(frame, value) for value in _NAMES},
                "values": [
                    {"value": _shown(word), "label": value, "count": count}
                    for word, value, count in _ranked(frame).head(_MOST_SHOWN).iter_rows()
                ],
            }
            for label, frame in sorted(self.frames.items())
        }

    def _put(self, label: str, frame: pl.DataFrame) -> None:
        held = self.frames.get(label, pl.DataFrame(schema=TALLY))
        self.frames[label] = (
            pl.concat([held, frame])
            .group_by("word", "label", "covered")
            .agg(pl.col("count").sum(), pl.col("first").min(), pl.col("shown").first())
            .select(*TALLY)
        )


def _ranked(frame: pl.DataFrame) -> pl.DataFrame:
    ranked = frame.sort("count", "word", descending=[True, False], nulls_last=True)
    return ranked.select("shown", "label", "count")


def _count(frame: pl.DataFrame, value: bool | None) -> int:
    return int(frame.filter(pl.col("label").eq_missing(value))["count"].sum())


def _values(frame: pl.DataFrame) -> str:
    ranked = _ranked(frame)
    parts = [
        f"{_shown(word)} {count:,} ({_NAMES[value]})"
        for word, value, count in ranked.head(_MOST_SHOWN).iter_rows()
    ]
    rest = ranked[_MOST_SHOWN:]
    if rest.height:
        parts.append(f"{rest.height:,} further values {rest['count'].sum():,}")
    return ", ".join(parts)


def _uncovered(label: str, rule: LabelColumn, frame: pl.DataFrame) -> str:
    ranked = frame.filter(~pl.col("covered")).sort("count", "first", descending=[True, False])
    named = [
        f"{_shown(word)} ({count:,} row{'s' if count > 1 else ''}, the first is {first})"
        for word, count, first in ranked.head(MOST_EXAMPLES).select("shown", "count", "first").iter_rows()
    ]
    more = f" and {ranked.height - MOST_EXAMPLES:,} more" if ranked.height > MOST_EXAMPLES else ""
    lines = ", ".join(_lines_to_add(rule, ranked["shown"].head(MOST_EXAMPLES).to_list(), frame))
    return (
        f"the column {rule.column!r} has values that the label {label} does not cover: "
        f"{', '.join(named)}{more}. Say under labels.{label} of the mapping what each means, in true_when, "
        f"false_when or null_when (not examined), for example: {lines}"
    )


def _lines_to_add(rule: LabelColumn, words: Sequence[str], frame: pl.DataFrame) -> Iterator[str]:
    """The lists of the rule with the words that lack, each where it most likely belongs."""
    guesses = [(word, _guess(word)) for word in words]
    for meaning, name in _LISTS.items():
        new = [word for word, guess in guesses if guess is meaning]
        held: Iterable[str] = getattr(rule, name)
        if new and meaning is False and not held:
            # A list of one's own takes the place of the words that are false without one.
            met = set(frame.filter("covered")["word"])
            held = [word for word in FALSE_WORDS if word in met]
        if new:
            shown = [WITHHELD if holds_a_persons_number(word) else word for word in (*held, *new)]
            yield f"`{name}: {json.dumps(shown, ensure_ascii=False)}`"


def _guess(word: str) -> bool | None:
    try:
        meant = result_of(word)
    except ValueError:
        return None
    return None if meant is None else RESULT_LABELS[meant]


def _shown(word: str | None) -> str:
    if word is None:
        return "(empty)"
    if holds_a_persons_number(word):
        return WITHHELD
    return repr(word if len(word) <= _MOST_CHARS else word[:_MOST_CHARS] + "…")

"""What a feature block is: a function of a day's lines that says what it looks up in the history."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from configs.reference.facts import ReferenceDay
from features.history.needs import KeyKind, Needs
from features.history.view import HistoryView

Build = Callable[[pl.DataFrame, HistoryView, ReferenceDay], pl.DataFrame]
_PARAMETERS = ("lines", "history", "reference")


@dataclass(frozen=True)
class Block:
    """A feature block: how its columns are built, and what it needs for that.

    Raises:
        TypeError: `build` does not take `lines`, `history` and `reference`.
    """

    build: Build
    needs: Needs

    def __post_init__(self) -> None:
        given = tuple(inspect.signature(self.build).parameters)
        if given != _PARAMETERS:
            raise TypeError(f"build: expected the parameters {_PARAMETERS}; came {given}")

    def __call__(self, view: HistoryView, label: str, reference: ReferenceDay) -> pl.DataFrame:
        """Return the columns of the block for the lines of `view`, null for what is not finite.

        Args:
            view: the history as the lines see it; the block is given what it declares of it, and no more.
            label: the label of the risk.
            reference: the reference tables of the day.

        Raises:
            ConfigurationError: the block looks up what it does not declare.
            ValueError: the frame has not a row a line, or a column without the block's name.
        """
        name = self.needs.block
        frame = self.build(view.lines, view.for_block(self.needs, label), reference)
        if frame.width and frame.height != view.lines.height:
            raise ValueError(f"block {name} returned {frame.height} rows for {view.lines.height} lines")
        stray = [column for column in frame.columns if not column.startswith(f"{name}__")]
        if stray:
            raise ValueError(f"block {name}: columns without its prefix: {', '.join(stray[:5])}")
        numbers = frame.select(
            pl.col(column).cast(pl.Float64) for column, dtype in frame.schema.items() if dtype != pl.String
        )
        finite = numbers.select(pl.all().is_finite().all())
        wrong = [column for column in numbers.columns if not finite[column][0]]
        kept = numbers.with_columns(pl.when(pl.col(column).is_finite()).then(column) for column in wrong)
        return frame.with_columns(kept.get_columns())


def block(*, label: bool = False, keys: tuple[str | KeyKind, ...] = ()) -> Callable[[Build], Block]:
    """Declare the function `build` of a module in `features/blocks` to be a block of the module's name.

    Args:
        label: whether the features depend on the label of the risk.
        keys: names and kinds of the keys of the history that are looked up. A configuration may lack a key.

    >>> @block(keys=("seller",))
    ... def build(lines, history, reference):
    ...     return lines.select()
    >>> build.needs.label, build.needs.keys
    (False, ('seller',))
    """

    def declare(build: Build) -> Block:
        return Block(build, Needs(build.__module__.rpartition(".")[2], label, keys))

    return declare

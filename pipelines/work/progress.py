"""Progress bars on a terminal, and silence everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID


@dataclass(frozen=True)
class Task:
    """One running piece of work; `advance` is called as parts of it are done."""

    bars: Bars | None = None
    identity: TaskID | None = None

    def advance(self, n: int = 1) -> None:
        """Count `n` more parts as done."""
        if self.bars is not None and self.identity is not None:
            self.bars.advance(self.identity, n)


class Progress:
    """Shows what a verb is doing, on standard error, if `shown`.

    Tasks may be nested; each has a bar of its own, which goes away with it. A total of None
    means that nobody knows it: the bar then only shows that work goes on.

    >>> with Progress.silent().task("score", total=2) as task:
    ...     task.advance()
    ...     task.advance()
    """

    def __init__(self, *, shown: bool) -> None:
        self._shown = shown
        self._bars: Bars | None = None

    @classmethod
    def silent(cls) -> Progress:
        """Progress that shows nothing: for logs, tests and notebooks."""
        return cls(shown=False)

    @classmethod
    def on_terminal(cls) -> Progress:
        """Progress that is shown if standard error is a terminal, where it spoils no log."""
        return cls(shown=sys.stderr.isatty())

    @contextmanager
    def task(self, description: str, total: int | None = None) -> Iterator[Task]:
        """Show `description` with a bar of `total` parts until the block is left."""
        if not self._shown:
            yield Task()
            return
        outermost = self._bars is None
        bars = self._bars = self._bars or _new_bars()
        if outermost:
            bars.start()
        identity = bars.add_task(description, total=total)
        try:
            yield Task(bars, identity)
        finally:
            bars.remove_task(identity)
            if outermost:
                bars.stop()
                self._bars = None


def _new_bars() -> Bars:
    # Here and not above: a command that shows no bar does not pay for the import.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    # `redirect_stderr` (the default) lets log lines pass above the bar instead of through it.
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )

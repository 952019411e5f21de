"""How a night's work is shared out: processes, threads of each, an address of a cluster, progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipelines.execution import run
from pipelines.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Night:
    """How a run works: processes, threads of each, an address of a cluster, and where progress is shown."""

    workers: int
    threads: int
    scheduler: str | None
    progress: Progress

    def map(self, what: str, function: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """The results of `function` for every item, in the order of the items; `what` is shown meanwhile."""
        with self.progress.task(what, total=len(items)) as bar:
            return run(
                function,
                items,
                workers=self.workers,
                threads=self.threads,
                scheduler=self.scheduler,
                done=bar.advance,
            )

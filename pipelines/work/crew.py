"""How a night's work is shared out: processes, threads of each, an address of a cluster, tries, progress."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pipelines.work.attempts import Limits, Outcomes
from pipelines.work.execution import run
from pipelines.work.processes import Crew
from pipelines.work.progress import Progress

Item = TypeVar("Item")
Result = TypeVar("Result")

_ONE_TRY = Limits()


@dataclass(frozen=True)
class Night:
    """How a run works: processes, threads of each, an address of a cluster, where progress is shown, how
    patient it is, and the processes that serve all its steps; without a `crew` each step starts its own."""

    workers: int
    threads: int
    scheduler: str | None
    progress: Progress
    limits: Limits = _ONE_TRY
    crew: Crew | None = None

    def attempt(
        self, what: str, function: Callable[[Item], Result], items: Sequence[Item]
    ) -> Outcomes[Result]:
        """What became of `function` for every item, in the order of the items; `what` is shown meanwhile."""
        with self.progress.task(what, total=len(items)) as bar:
            return run(
                function,
                items,
                workers=self.workers,
                threads=self.threads,
                scheduler=self.scheduler,
                limits=self.limits,
                done=bar.advance,
                name=lambda item: f"{what}: {_name(item)}",
                crew=self.crew,
            )


def _name(item: Any) -> str:
    """The file that an item of a night is about."""
    file = getattr(item, "file", item)
    return str(getattr(file, "name", file))

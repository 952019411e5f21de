"""Seconds by step of a long measurement, so that whoever waits sees what it does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Clock:
    """Seconds by step, printed as each is done."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, step: str) -> Iterator[None]:
        """Measure what happens inside."""
        began = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - began, 1)
        print(f"{self.name}: {step}: {self.seconds[step]:.1f} s", flush=True)

"""How memory is held is said before Polars is loaded, unless whoever runs the program said it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipelines import ALLOCATOR, ALLOCATOR_VARIABLE

_ASKED = f"import pipelines.cli.main, os; print(os.environ['{ALLOCATOR_VARIABLE}'])"


@pytest.mark.parametrize("given", [None, "", "dirty_decay_ms:1000"])
def test_what_the_user_says_of_the_allocator_counts(given: str | None) -> None:
    kept = {name: value for name, value in os.environ.items() if name != ALLOCATOR_VARIABLE}
    further = {} if given is None else {ALLOCATOR_VARIABLE: given}
    done = subprocess.run(
        [sys.executable, "-c", _ASKED], env={**kept, **further}, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (ALLOCATOR if given is None else given)
    # Settings that the allocator does not know, it tells on standard error.
    assert "<jemalloc>" not in done.stderr


def test_polars_is_not_loaded_before_the_allocator_is_told() -> None:
    first = "import pipelines, sys; print('polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", first], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

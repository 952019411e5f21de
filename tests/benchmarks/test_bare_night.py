"""The documented night on a bare account: `make bench-night`, with a server whose database is a file."""

from __future__ import annotations

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import pytest

from benchmarks.bare_night import bare_nights
from tests.pipelines.trained_world import TRAINED_UNTIL, World


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another account")
@pytest.mark.skipif(shutil.which("faketime") is None, reason="needs faketime (Debian: faketime)")
def test_a_bare_account_lists_every_day_and_tells_every_loss(untrained: World, tmp_path: Path) -> None:
    world = untrained.newest(tmp_path, TRAINED_UNTIL - timedelta(days=11))
    # pytest's own folders are closed to other accounts.
    with tempfile.TemporaryDirectory(prefix="parcel-risk-night-") as folder:
        assert bare_nights(world, Path(folder) / "machine", postgres=False) == []

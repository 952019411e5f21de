"""Manifests, issued lists and returned rows say which account, host and program made them."""

from __future__ import annotations

import json
import os
import pwd
import socket
from datetime import date
from importlib.metadata import version
from pathlib import Path

import polars as pl
import pytest

from pipelines.lists.issued import stage_issued
from pipelines.store.store import Store

ACCOUNT = pwd.getpwuid(os.getuid()).pw_name
DAY = date(2026, 11, 20)


@pytest.fixture(autouse=True)
def another_name_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody else")


def test_who_ran_it_is_in_every_manifest_and_issued_list(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "S")
    listed = pl.DataFrame({"rank": [1], "list_id": ["0123456789ab"], "declaration_id": ["D1"]})
    with store.lock("score"), store.transaction() as t:
        manifest = store.write_manifest(t, "score", DAY, {"rows_in": 0})
        stage_issued(t, store, DAY, listed)

    by = json.loads(manifest.read_text())["run_by"]
    assert (by["user"], by["host"], by["code_version"]) == (
        ACCOUNT,
        socket.gethostname(),
        version("parcel-risk"),
    )
    (issued,) = store.layout.issued(DAY)
    row = pl.read_parquet(issued, hive_partitioning=False).row(0, named=True)
    assert (row["issued_by"], row["issued_on"]) == (ACCOUNT, socket.gethostname())

"""What is installed, pinned and licensed, and what a skipped test counts for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("configs", "features", "models", "pipelines")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_packaging_names_the_four_packages() -> None:
    assert project()["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == list(PACKAGES)


def test_every_dependency_is_pinned_exactly() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][\w.+!]*", pin) for pin in pins)
    pinned = {normalised(pin.partition("==")[0]) for pin in pins}
    described = project()["project"]
    extras = described["optional-dependencies"]
    assert set(extras["cluster"]) <= set(extras["dev"]), "tests of the cluster would not run everywhere"
    required = described["dependencies"] + extras["dev"] + extras["bench"]
    named = {normalised(re.split(r"[<>=!~\[; ]", requirement)[0]) for requirement in required}
    assert named <= pinned
    assert "parcel-risk" not in pinned


def test_licence_is_the_whole_of_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
    assert project()["project"]["license"] == "Apache-2.0"


SKIPPING = """
import pytest
def test_shared(shared): assert shared.is_dir()
def test_other(): pytest.skip("not today")
@pytest.mark.xfail(strict=True)
def test_expected(): assert False
"""


@pytest.mark.parametrize(
    ("forbid", "beside", "summary"),
    [
        ("0", False, "2 skipped, 1 xfailed"),
        ("1", False, "1 failed, 1 skipped, 1 xfailed"),
        ("1", True, "1 failed, 1 passed, 1 xfailed"),
    ],
)
def test_a_skip_is_a_failure_where_it_is_forbidden(
    tmp_path: Path, forbid: str, beside: bool, summary: str
) -> None:
    tests = tmp_path / "checkout" / "tests"
    tests.mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    (tests / "test_skipping.py").write_text(SKIPPING)
    if beside:
        (tmp_path / "shared").mkdir()
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tests, tests],
        cwd=tests,
        env={**os.environ, "PARCEL_RISK_FORBID_SKIPS": forbid},
        capture_output=True,
        text=True,
        check=False,
    )
    assert summary in result.stdout.splitlines()[-1]

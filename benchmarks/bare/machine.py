"""A program that nobody may write, an account without a home, and a clock that can be set."""

from __future__ import annotations

import os
import resource
import shutil
import stat
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.places import ROOT

NOBODY = 65534
_PACKAGES = ("configs", "features", "models", "pipelines")
_SCRIPT = ROOT / "docs/service/parcel-risk-night"
_PLACES = {
    "/opt/parcel-risk/bin": "program/bin",
    "/data/incoming": "incoming",
    "/data/parcel-risk": "data",
    "/etc/parcel-risk": "etc",
}


@dataclass(frozen=True)
class Ended:
    """How a command ended, all that it printed, and what it cost, which a busy machine does not change."""

    code: int
    said: str
    processor_seconds: float


@dataclass
class Machine:
    """Folders in which the night of docs/howto-nightly.md runs as it is documented, but for where they are.

    Attributes:
        folder: empty, of root, and open to all.
        environment: what the account's commands have set.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def incoming(self) -> Path:
        """Where deliveries lie."""
        return self.folder / "incoming"

    @property
    def store(self) -> Path:
        """The store of the night's script."""
        return self.folder / "data/store"

    @property
    def configs(self) -> Path:
        """The configuration of the night's script."""
        return self.folder / "etc/configs"

    def install(self, configs: Path) -> None:
        """Lay the program, the script and the configuration down; only `data` is the account's to write."""
        program = self.folder / "program"
        for package in _PACKAGES:
            # With byte code, as an installation lays it down; the account compiles numba's functions.
            shutil.copytree(ROOT / package, program / package, ignore=shutil.ignore_patterns("*.nb?"))
        shutil.copytree(configs, self.configs)
        settings = self.configs / "pipeline.yaml"
        before = settings.read_text(encoding="utf-8") if settings.exists() else ""
        key_file = self.folder / "etc/key"
        key_file.write_text("3f9c5a1be07d4a86b2d1c94e6f80a573")
        settings.write_text(f"{before}\npseudonyms: {{key_file: {key_file}}}\n", encoding="utf-8")
        for name in ("data", "incoming"):
            (self.folder / name).mkdir()
        os.chown(self.folder / "data", NOBODY, NOBODY)
        os.chown(key_file, NOBODY, NOBODY)
        key_file.chmod(0o600)
        command = program / "bin/parcel-risk"
        command.parent.mkdir()
        python = _lay_down_python(self.folder / "python")
        command.write_text(f'#!/bin/sh\nexec {python} -m pipelines.cli.main "$@"\n')
        self.write_script()
        for path in (command, self.script):
            path.chmod(0o755)
        packages = f"{program}:{sysconfig.get_path('purelib')}"
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "PYTHONHOME": str(self.folder / "python"),
            "LD_LIBRARY_PATH": str(self.folder / "python/lib"),
            "PYTHONPATH": packages,
        }

    @property
    def script(self) -> Path:
        """The documented script."""
        return self.folder / "program/parcel-risk-night"

    def write_script(self, **places: str) -> None:
        """Write the documented script with this machine's folders, or others: `data="moved"`."""
        text = _SCRIPT.read_text(encoding="utf-8")
        for documented, here in _PLACES.items():
            text = text.replace(documented, str(self.folder / places.get(here, here)))
        self.script.write_text(text, encoding="utf-8")

    def run(self, *command: str | Path, at: datetime | None = None, **variables: str) -> Ended:
        """Run a command as the account, at a moment (China's, without a zone) of its own."""
        clock = [] if at is None else ["faketime", "-f", f"@{at:%Y-%m-%d %H:%M:%S}"]
        zone = {"TZ": "CST-8", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
        before = _processor_seconds()
        result = subprocess.run(
            [*clock, *map(str, command)],
            env=self.environment | zone | variables,
            cwd="/",
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=1_800,
        )
        return Ended(result.returncode, result.stdout, _processor_seconds() - before)

    def parcel_risk(
        self, verb: str, *options: str, at: datetime | None = None, store: Path | None = None
    ) -> Ended:
        """Run a verb on the store as the account."""
        on = ("--store", str(store or self.store), "--configs", str(self.configs))
        return self.run(self.folder / "program/bin/parcel-risk", *verb.split(), *options, *on, at=at)


def _processor_seconds() -> float:
    """Of all processes that this one has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _lay_down_python(folder: Path) -> Path:
    """A copy of this interpreter, which may lie in a home that other accounts do not see into."""
    base, name = Path(sys.base_prefix), f"python{sys.version_info.major}.{sys.version_info.minor}"
    left_out = shutil.ignore_patterns("test", "site-packages", "dist-packages", "config-*")
    shutil.copytree(base / "lib" / name, folder / "lib" / name, ignore=left_out, symlinks=True)
    for library in (base / "lib").glob("libpython*.so*"):
        shutil.copy2(library, folder / "lib")
    (folder / "bin").mkdir()
    return Path(shutil.copy2(base / "bin" / name, folder / "bin"))


def readable_by_others(folder: Path) -> list[str]:
    """Files below a folder that others than their owner may read, but for the metrics."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".prom" and path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH)
    ]


def missing_packages(commands: Mapping[str, str]) -> list[str]:
    """Debian's packages of commands, by their names, that this machine lacks."""
    return sorted({package for command, package in commands.items() if shutil.which(command) is None})

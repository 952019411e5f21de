"""The folder of the demo: made, recognised and emptied by the demo alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from configs.errors import UsageError
from configs.loader import load_settings
from configs.schema.settings import Settings
from configs.yaml_file import read_yaml
from pipelines.privacy.pseudonyms import generate_key_file
from pipelines.store.layout import Layout
from pipelines.store.locking import hold_lock

MARKER = ".made-by-parcel-risk-demo"
_EXPLAINED = "`parcel-risk demo` makes this folder anew each time it runs: keep nothing of your own in it.\n"
# A demo's few parcels would be all over lists of the packaged size.
CAPACITY = """\
# What an office of the simulated world can open in a day. Change it, then see the lists that follow from it:
#   parcel-risk select --store {store} --configs {configs} --date {day}
default: {{share: {share}, minimum: {minimum}}}
"""


@dataclass(frozen=True)
class DemoFolder:
    """Where the things of a demo are."""

    path: Path

    @property
    def store(self) -> Path:
        """The simulated store."""
        return self.path / "store"

    @property
    def tracking(self) -> Path:
        """Runs and models."""
        return Layout(self.store).mlflow

    @property
    def configs(self) -> Path:
        """Settings laid over the packaged ones."""
        return self.path / "configs"

    @property
    def key_file(self) -> Path:
        """The key of the pseudonyms."""
        return self.path / "pseudonym.key"


@contextmanager
def fresh_folder(path: Path) -> Iterator[DemoFolder]:
    """An empty demo folder with a new key, held against a second demo while the block runs.

    What an earlier demo left is removed first, and nothing else ever.

    Raises:
        UsageError: the folder holds something that no demo made.
        StoreLockedError: another run works in the folder.
    """
    folder = DemoFolder(path)
    _refuse_foreign(folder)
    path.mkdir(parents=True, exist_ok=True)
    # Before the lock file, which alone would look foreign to the next run.
    (path / MARKER).write_text(_EXPLAINED, encoding="utf-8")
    with hold_lock(path, "demo"):
        _remove_earlier(folder)
        generate_key_file(folder.key_file)
        yield folder


def demo_settings(folder: DemoFolder, settings: Settings, *, capacity: str) -> Settings:
    """The settings of the demo, written to its `configs` so that other verbs can be given the same.

    They are `settings` with the demo's key file and, where the user's own overlay has none, its capacity.
    """
    if settings.overlay is not None:
        shutil.copytree(settings.overlay, folder.configs)
    folder.configs.mkdir(exist_ok=True)
    pipeline = folder.configs / "pipeline.yaml"
    own = read_yaml(pipeline) if pipeline.exists() else {}
    named = {**own, "pseudonyms": {"key_file": str(folder.key_file.resolve())}}
    pipeline.write_text(yaml.safe_dump(named, allow_unicode=True), encoding="utf-8")
    if not (folder.configs / "capacity.yaml").exists():
        (folder.configs / "capacity.yaml").write_text(capacity, encoding="utf-8")
    return load_settings(folder.configs)


def _refuse_foreign(folder: DemoFolder) -> None:
    path = folder.path
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        raise UsageError(
            f"expected {path} to be a folder of the demo's own, found a "
            f"{'link' if path.is_symlink() else 'file'}: move it elsewhere, then run the demo again"
        )
    if not path.exists():
        return
    own = {MARKER, Layout(path).lock.name, *(thing.name for thing in _things(folder))}
    inside = sorted(path.iterdir())
    is_ours = (path / MARKER).is_file()
    foreign = [entry for entry in inside if not is_ours or entry.name not in own or entry.is_symlink()]
    if foreign:
        shown = ", ".join(entry.name for entry in foreign[:5]) + (", …" if len(foreign) > 5 else "")
        raise UsageError(
            f"expected {path} to be empty or to hold only what an earlier demo made, found {shown}: "
            "the demo removes what it made itself and nothing else, so move these elsewhere first"
        )


def _things(folder: DemoFolder) -> list[Path]:
    return [folder.store, folder.tracking, folder.configs, folder.key_file]


def _remove_earlier(folder: DemoFolder) -> None:
    if folder.store.is_dir():
        # Whoever still works on the earlier store is told, not robbed of it.
        with hold_lock(folder.store, "demo"):
            shutil.rmtree(folder.store)
    for thing in _things(folder):
        if thing.is_dir():
            shutil.rmtree(thing)
        else:
            thing.unlink(missing_ok=True)

from __future__ import annotations

import stat
from pathlib import Path

import pytest
import yaml

from configs.errors import StoreLockedError, UsageError
from configs.loader import load_settings
from pipelines.demo.folder import MARKER, demo_settings, fresh_folder
from pipelines.privacy.pseudonyms import KEY_VARIABLE, Pseudonymiser
from pipelines.store.locking import hold_lock

CAPACITY = "default: {share: 0.5, minimum: 3}\n"


def test_the_key_is_new_and_for_its_owner_alone(tmp_path: Path) -> None:
    keys = set()
    for _ in range(2):
        with fresh_folder(tmp_path / "demo") as folder:
            assert stat.S_IMODE(folder.key_file.stat().st_mode) == 0o600
            keys.add(folder.key_file.read_bytes())
    assert len(keys) == 2


def test_what_an_earlier_demo_left_is_gone(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "demo") as folder:
        for place in (folder.store, folder.tracking, folder.configs):
            (place / "deep").mkdir(parents=True)
            (place / "deep" / "file").touch()
    with fresh_folder(tmp_path / "demo") as folder:
        assert sorted(path.name for path in folder.path.iterdir()) == [".lock", MARKER, "pseudonym.key"]


def test_a_demo_that_was_killed_at_its_start_is_no_stranger(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / MARKER).touch()
    with fresh_folder(tmp_path / "demo") as folder:
        assert folder.key_file.is_file()


def test_a_folder_of_somebody_else_is_left_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    (directory / "store").mkdir(parents=True)
    (directory / "store" / "mine.parquet").touch()
    with (
        pytest.raises(UsageError, match="found store: the demo removes what it made itself"),
        fresh_folder(directory),
    ):
        pass
    assert [path.name for path in directory.rglob("*")] == ["store", "mine.parquet"]


def test_foreign_things_in_a_demo_folder_are_named_and_kept(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "demo") as folder:
        folder.store.mkdir()
    names = [f"note-{number}.txt" for number in range(7)]
    for name in names:
        (folder.path / name).touch()
    expected = "note-0.txt, note-1.txt, note-2.txt, note-3.txt, note-4.txt, …"
    with pytest.raises(UsageError, match=expected), fresh_folder(folder.path):
        pass
    assert folder.store.is_dir()
    assert folder.key_file.is_file()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").touch()
    with fresh_folder(tmp_path / "demo") as folder:
        folder.store.symlink_to(elsewhere)
    with pytest.raises(UsageError, match="found store"), fresh_folder(folder.path):
        pass
    (tmp_path / "link").symlink_to(elsewhere)
    with pytest.raises(UsageError, match="found a link"), fresh_folder(tmp_path / "link"):
        pass
    assert (elsewhere / "precious").exists()


def test_a_file_of_that_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "demo").touch()
    with pytest.raises(UsageError, match="found a file"), fresh_folder(tmp_path / "demo"):
        pass


def test_two_demos_at_once_are_one_too_many(tmp_path: Path) -> None:
    with (
        fresh_folder(tmp_path / "demo") as folder,
        pytest.raises(StoreLockedError, match="in use by `demo`"),
        fresh_folder(folder.path),
    ):
        pass


def test_a_store_in_use_is_not_taken_away(tmp_path: Path) -> None:
    with fresh_folder(tmp_path / "demo") as folder:
        folder.store.mkdir()
    with (
        hold_lock(folder.store, "score"),
        pytest.raises(StoreLockedError, match="in use by `score`"),
        fresh_folder(folder.path),
    ):
        pass
    assert folder.store.is_dir()


def test_the_settings_name_the_key_and_the_capacity(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with fresh_folder(tmp_path / "demo") as folder:
        settings = demo_settings(folder, load_settings(), capacity=CAPACITY)
        assert settings.overlay == folder.configs
        assert settings.capacity.default.places(100) == 50
        assert Pseudonymiser.from_environment(settings.pipeline.pseudonyms).hash_value("x", "buyer_id")
        assert folder.key_file.read_text().strip() not in settings.model_dump_json()


def test_settings_of_the_user_stay_what_they_are(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "risks").mkdir(parents=True)
    (own / "capacity.yaml").write_text("default: {parcels: 4}\n", encoding="utf-8")
    (own / "pipeline.yaml").write_text(
        "training: {folds: 2}\npseudonyms: {key_file: /nowhere}\n", encoding="utf-8"
    )
    with fresh_folder(tmp_path / "demo") as folder:
        settings = demo_settings(folder, load_settings(own), capacity=CAPACITY)
        assert settings.capacity.default.places(100) == 4
        assert settings.pipeline.training.folds == 2
        assert settings.pipeline.pseudonyms.key_file == str(folder.key_file)
    assert yaml.safe_load((own / "pipeline.yaml").read_text())["pseudonyms"]["key_file"] == "/nowhere"

"""Nothing that the program writes runs code when it is read."""

from __future__ import annotations

import io
import json
import pickletools
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from tests.pipelines.trained_world import World

_PICKLE_NAMES = (".pkl", ".pickle", ".joblib", ".dill", ".cloudpickle", ".pt", ".pth", ".npy")


def every_file(world: World) -> Iterator[tuple[str, bytes]]:
    """Every file of the store and of MLflow, and what archives among them hold."""
    for root in (world.path, world.path.with_name("S.mlflow")):
        for path in sorted(root.rglob("*")):
            if path.is_file():
                content = path.read_bytes()
                yield str(path), content
                yield from members(str(path), content)


def members(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.namelist():
            inner = archive.read(member)
            yield f"{name}!{member}", inner
            yield from members(f"{name}!{member}", inner)


def is_pickle(content: bytes) -> bool:
    """Whether the whole content is a pickle of any protocol."""
    if not content:
        return False
    try:
        for _ in pickletools.genops(content):
            pass
    except Exception:  # noqa: BLE001 - whatever does not parse is no pickle
        return False
    return True


def test_the_search_would_find_a_pickle(tmp_path: Path) -> None:
    by_hand = b"\x80\x04K\x07."
    assert is_pickle(by_hand)
    assert is_pickle(b"I7\n.")
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("inner", by_hand)
    assert [is_pickle(inner) for _, inner in members("a", (tmp_path / "a.npz").read_bytes())] == [True]


def test_nothing_in_store_or_mlflow_is_a_pickle(scored: World) -> None:
    kinds = set()
    for name, content in every_file(scored):
        kinds.add(Path(name).suffix)
        assert not is_pickle(content), name
        assert not content.startswith((b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")), name
        inside = "!" in name
        assert not Path(name).name.endswith(_PICKLE_NAMES if not inside else _PICKLE_NAMES[:-1]), name
        if name.endswith(".npy"):
            assert np.lib.format.read_magic(io.BytesIO(content))
            np.load(io.BytesIO(content), allow_pickle=False)
    assert {".parquet", ".json", ".txt", ".npz", ".xlsx", ".html", ".csv", ".db", ".py"} <= kinds


def test_no_table_has_a_column_of_objects(scored: World) -> None:
    for path in scored.path.rglob("*.parquet"):
        for name, dtype in pl.read_parquet_schema(path).items():
            assert dtype != pl.Object, f"{path}: {name}"
            if dtype == pl.Binary:
                assert not pl.read_parquet(path)[name].bin.starts_with(b"\x80").any(), f"{path}: {name}"


def test_mlflow_loads_the_models_from_code(scored: World) -> None:
    described = sorted(scored.path.with_name("S.mlflow").rglob("MLmodel"))
    assert len(described) == 3
    for path in described:
        flavour = yaml.safe_load(path.read_text(encoding="utf-8"))["flavors"]["python_function"]
        assert flavour.get("python_model") is None, "this is where MLflow names a pickled model"
        assert flavour["loader_module"] == "mlflow.pyfunc.loaders.code_model"
        assert (path.parent / Path(flavour["model_code_path"]).name).is_file()


def test_the_database_of_mlflow_holds_no_pickle(scored: World) -> None:
    with closing(sqlite3.connect(scored.path.with_name("S.mlflow") / "mlflow.db")) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        for table in tables:
            for row in database.execute(f'select * from "{table}"'):
                blobs = [value for value in row if isinstance(value, bytes)]
                assert not [blob for blob in blobs if is_pickle(blob)], table


def test_the_boosters_are_text(scored: World) -> None:
    boosters = list((scored.path / "models").rglob("booster.txt"))
    assert len(boosters) == 3
    for path in boosters:
        assert path.read_text(encoding="utf-8").startswith("tree\n")
        json.loads(path.with_name("model.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", ["store.json", ".runs"])
def test_what_the_store_says_about_itself_is_json(scored: World, kind: str) -> None:
    place = scored.path / kind
    for path in [place] if place.is_file() else sorted(place.iterdir()):
        assert isinstance(json.loads(path.read_text(encoding="utf-8")), dict)

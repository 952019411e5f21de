"""YAML is read without the surprises of YAML 1.1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from configs.errors import ConfigurationError
from configs.yaml_file import read_yaml
from pipelines.cli.main import run


def _read(tmp_path: Path, text: str) -> dict[str, Any]:
    path = tmp_path / "some.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("0102", "0102"),
        ("4601", 4601),
        ("-7", -7),
        ("200_000", 200_000),
        ("12:30:45", "12:30:45"),
        ("2020-01-01", "2020-01-01"),
        ("0.05", 0.05),
        ("1e5", 1e5),
        (".5", 0.5),
        ("true", True),
        ("False", "False"),
        ("null", None),
        ("~", None),
        ("", None),
        ("0x1F", "0x1F"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("'4601'", "4601"),
    ],
)
def test_scalars(tmp_path: Path, written: str, meant: object) -> None:
    if written == "-":
        written = "'-'"
    assert _read(tmp_path, f"key: {written}\n") == {"key": meant}


def test_empty_file_is_an_empty_mapping(tmp_path: Path) -> None:
    assert _read(tmp_path, "# nothing but words\n") == {}


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"some\.yaml: line 3, column 3: .*'folds' stands twice"):
        _read(tmp_path, "training:\n  folds: 4\n  folds: 5\n")


def test_not_yaml(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"some\.yaml: line 2, column \d+: not valid YAML"):
        _read(tmp_path, "a: [1, 2\nb: 3\n")


@pytest.mark.parametrize("text", ["- a\n- b\n", "just words\n", "4\n"])
def test_not_keys_and_values(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected keys and values"):
        _read(tmp_path, text)


def test_python_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not valid YAML: could not determine a constructor"):
        _read(tmp_path, "a: !!python/object/apply:os.system [ls]\n")


def test_a_list_as_key(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a key has to be one word"):
        _read(tmp_path, "? [a, b]\n: 1\n")


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_bytes("说明: 词".encode("gb18030"))
    with pytest.raises(ConfigurationError, match="expected UTF-8 text; byte 2 is not"):
        read_yaml(path)


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_yaml(tmp_path / "missing.yaml")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    assert _read(tmp_path, "\ufeffa: 1\n") == {"a": 1}


BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 5_000 + "]" * 5_000, "nested more than 40 levels deep"),
        ("".join(f"{' ' * depth}k:\n" for depth in range(3_000)), "nested more than 40 levels deep"),
        (BOMB, "stands for more than 100,000 values, aliases included"),
        ("a: &x [*x]\n", r"\*x stands inside of what it stands for"),
        ("a: " + "9" * 5_000, "not valid YAML: Exceeds the limit"),
    ],
)
def test_deep_and_swollen_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _read(tmp_path, text)


def test_aliases_of_ordinary_size_are_read(tmp_path: Path) -> None:
    assert _read(tmp_path, "a: &x {b: 1}\nc: *x\n") == {"a": {"b": 1}, "c": {"b": 1}}


def test_a_folder_with_a_bomb_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "reasons.yaml").write_text(BOMB)
    store = ["--store", str(tmp_path / "S")]
    dates = ["--date", "2026-11-20"]
    assert run(["score", *store, *dates, "--configs", str(tmp_path)]) == 2
    assert "aliases included" in capsys.readouterr().err
    (tmp_path / "reasons.yaml").write_text("blocks: {price: [{text: '{price__cny_per_kg:>999999999}'}]}\n")
    assert run(["score", *store, *dates, "--configs", str(tmp_path)]) == 2
    assert "wider than 60 characters" in capsys.readouterr().err

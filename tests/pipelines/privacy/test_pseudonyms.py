from __future__ import annotations

import os
import stat
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import ConfigurationError
from configs.schema.pipeline import PseudonymsConfig
from pipelines.privacy.pseudonyms import KEY_VARIABLE, Pseudonymiser, generate_key_file, normalise

KEY = b"only for tests, not a secret"


def named(key_file: Path | None = None) -> PseudonymsConfig:
    return PseudonymsConfig(key_file=None if key_file is None else str(key_file))


@pytest.fixture(autouse=True)
def _no_key_in_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


@pytest.fixture
def names() -> Pseudonymiser:
    return Pseudonymiser.from_key(KEY)


def test_a_value_has_one_hash_per_key_and_field(names: Pseudonymiser) -> None:
    hashed = names.hash(pl.Series("buyer", ["130681x", " 130 681X ", "１３０６８１X", "other"]), "buyer_id")

    assert hashed.name == "buyer"
    assert hashed.n_unique() == 2
    assert hashed.str.len_chars().to_list() == [32] * 4
    assert hashed[0] != names.hash_value("130681x", "address_id")
    assert hashed[0] != Pseudonymiser.from_key(KEY + b"!").hash_value("130681x", "buyer_id")


def test_the_hash_is_the_same_in_every_release(names: Pseudonymiser) -> None:
    # A store outlives the program that wrote it: whoever changes the hash turns every buyer into a new one.
    assert names.hash_value("130681136250023332", "buyer_id") == "a69e8cee3c537744400ff5c64c609d7e"
    assert names.hash_key(["1101110325", "NB 1"], "declaration_id") == "531832e625dda6db9f82805baf165112"


def test_nothing_has_no_hash(names: Pseudonymiser) -> None:
    hashed = names.hash(pl.Series([None, "", " \t", "a"]), "buyer_id")

    assert hashed.is_null().to_list() == [True, True, True, False]
    assert names.hash(pl.Series([], dtype=pl.String), "buyer_id").dtype == pl.String
    assert names.hash(pl.Series([None, None]), "buyer_id").null_count() == 2


def test_numbers_hash_as_their_text(names: Pseudonymiser) -> None:
    assert names.hash(pl.Series([17]), "buyer_id")[0] == names.hash_value("17", "buyer_id")


def test_long_field_names_and_long_keys_are_not_cut_off() -> None:
    long = Pseudonymiser.from_key(b"k" * 64 + b"a")

    assert long.hash_value("x", "a_field_of_more_than_16_bytes") != long.hash_value("x", "a_field_of_more_t")
    assert long.hash_value("x", "f") != Pseudonymiser.from_key(b"k" * 64 + b"b").hash_value("x", "f")


def test_keys_of_several_parts_do_not_meet(names: Pseudonymiser) -> None:
    assert names.hash_key(["a", "bc"], "k") != names.hash_key(["ab", "c"], "k")
    assert names.hash_key(["a", "b\x1fc"], "k") != names.hash_key(["a", "b", "c"], "k")
    assert names.hash_key(["a", "NB1"], "k") != names.hash_key(["a", "nb1"], "k")
    assert names.hash_key([" a ", "b"], "k") == names.hash_key(["a", "b"], "k")
    assert names.hash_key(["a", None], "k") is None
    assert names.hash_key(["a", " "], "k") is None


@given(st.lists(st.one_of(st.none(), st.text()), max_size=20))
def test_a_column_hashes_as_its_values_do(values: list[str | None]) -> None:
    names = Pseudonymiser.from_key(KEY)

    assert names.hash(pl.Series(values, dtype=pl.String), "f").to_list() == [
        names.hash_value(value, "f") for value in values
    ]


@given(st.text())
def test_normalising_twice_changes_nothing(value: str) -> None:
    assert normalise(normalise(value)) == normalise(value)


def test_the_key_is_never_shown(names: Pseudonymiser) -> None:
    assert KEY.decode() not in f"{names} {names!r} {[names]}"


def test_without_a_key_the_message_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=rf"no key.*{KEY_VARIABLE}.*key_file"):
        Pseudonymiser.from_environment(named())


def test_the_environment_goes_before_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(KEY_VARIABLE, KEY.decode() + "\n")

    found = Pseudonymiser.from_environment(named(tmp_path / "missing"))

    assert found.hash_value("a", "f") == Pseudonymiser.from_key(KEY).hash_value("a", "f")


def test_a_short_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(KEY_VARIABLE, "hunter2")
    with pytest.raises(ConfigurationError, match="has 7 characters; expected at least 16") as caught:
        Pseudonymiser.from_environment(named())
    assert "hunter2" not in str(caught.value)

    monkeypatch.delenv(KEY_VARIABLE)
    path = tmp_path / "key"
    path.touch(mode=0o600)
    with pytest.raises(ConfigurationError, match=r"key file .* has 0 characters"):
        Pseudonymiser.from_environment(named(path))


def test_a_generated_key_file_can_be_used_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = generate_key_file(tmp_path / "new" / "key")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first, second = (Pseudonymiser.from_environment(named(path)).hash_value("a", "f") for _ in range(2))
    assert first == second
    other = Pseudonymiser.from_environment(named(generate_key_file(tmp_path / "other")))
    assert other.hash_value("a", "f") != first


def test_a_key_file_is_not_overwritten(tmp_path: Path) -> None:
    path = generate_key_file(tmp_path / "key")
    before = path.read_bytes()

    with pytest.raises(ConfigurationError, match="is there already"):
        generate_key_file(path)
    assert path.read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="file modes are a matter of POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_that_others_can_open_is_refused(tmp_path: Path, mode: int) -> None:
    path = generate_key_file(tmp_path / "key")
    path.chmod(mode)

    with pytest.raises(ConfigurationError, match=rf"mode {mode:03o}.*chmod 600"):
        Pseudonymiser.from_environment(named(path))


def test_a_missing_key_file_or_a_folder_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"cannot be read \(No such file"):
        Pseudonymiser.from_environment(named(tmp_path / "missing"))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        Pseudonymiser.from_environment(named(tmp_path))


def test_a_key_file_in_a_checkout_is_refused_but_for_the_demo(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inside = generate_key_file(tmp_path / "secrets" / "key")
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(inside)
    for path in (inside, link):
        with pytest.raises(ConfigurationError, match="inside the git checkout"):
            Pseudonymiser.from_environment(named(path))

    demo = generate_key_file(tmp_path / "demo" / "run" / "key")
    assert Pseudonymiser.from_environment(named(demo)).hash_value("a", "f")

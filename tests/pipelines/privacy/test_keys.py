"""A store knows its key again, weak keys are refused, and no message repeats a key."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest

from configs.errors import ConfigurationError
from configs.schema.pipeline import PseudonymsConfig
from pipelines.cli.main import run
from pipelines.privacy.key_record import KeyRecord
from pipelines.privacy.key_strength import weakness
from pipelines.privacy.pseudonyms import KEY_VARIABLE, Pseudonymiser
from pipelines.store.layout import Layout
from tests.pipelines.ceb_documents import IMPORT_HEAD, IMPORT_LINE, inventory, message

KEY, OTHER = "a key for tests, not a secret", "another key for tests, no secret"

WEAK = (
    *("a" * 16, "abababababababab", "1234567890123456", "0123456789abcdef" * 2, "abcdefghijklmnopqrst"),
    *("qwertyuiopasdfgh", "password12345678", "passwordpassword", "correct horse battery staple", "hunter2"),
    *("CorrectHorseBatteryStaple!", "changeme-changeme!", "The quick brown fox"),
)


def ceb(path: Path, number: str = "N1") -> Path:
    path.write_text(message([inventory({**IMPORT_HEAD, "invtNo": number}, IMPORT_LINE)]), encoding="utf-8")
    return path


def test_another_key_than_the_stores_is_refused_with_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, first, second = tmp_path / "S", ceb(tmp_path / "a.xml"), ceb(tmp_path / "b.xml", "N2")
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert run(["ingest", str(first), "--store", str(store)]) == 0
    noted = json.loads(Layout(store).meta.read_text())["pseudonym_key"]
    assert KEY not in str(noted)

    monkeypatch.setenv(KEY_VARIABLE, OTHER)
    assert run(["ingest", str(second), "--store", str(store)]) == 2
    said = capsys.readouterr().err
    assert "not the one that this store was written with" in said
    assert OTHER not in said

    monkeypatch.setenv(KEY_VARIABLE, KEY)
    assert run(["ingest", str(second), "--store", str(store)]) == 0


def test_a_store_of_an_older_version_takes_its_key_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "S"
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    run(["ingest", str(ceb(tmp_path / "a.xml")), "--store", str(store)])
    meta = Layout(store).meta
    content = json.loads(meta.read_text())
    del content["pseudonym_key"]
    meta.write_text(json.dumps(content))

    assert run(["ingest", str(ceb(tmp_path / "b.xml", "N2")), "--store", str(store)]) == 0
    assert KeyRecord.read(json.loads(meta.read_text())["pseudonym_key"]).opened_by(KEY.encode()) == []


@pytest.mark.parametrize("key", WEAK)
def test_a_key_that_is_soon_guessed_is_refused(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(ConfigurationError, match="The key of the pseudonyms") as caught:
        Pseudonymiser.from_environment(PseudonymsConfig(key_file=None))
    assert key not in str(caught.value)


def test_random_keys_are_taken() -> None:
    makers = (secrets.token_hex, secrets.token_urlsafe)
    assert [weakness(make(size)) for make in makers for size in (12, 16, 32) for _ in range(50)] == [
        None
    ] * 300
    assert weakness(KEY) is None


def test_a_key_in_the_place_of_its_file_is_not_repeated() -> None:
    key = "4f1c0e9b7d2a8635"
    with pytest.raises(ConfigurationError, match="cannot be read") as caught:
        Pseudonymiser.from_environment(PseudonymsConfig(key_file=key))
    assert key not in str(caught.value)


def test_the_keys_before_are_opened_by_the_present_one_alone() -> None:
    first, second = Pseudonymiser.from_key(KEY.encode()), Pseudonymiser.from_key(OTHER.encode())
    record = first.followed_by(second).record()

    assert record.opened_by(KEY.encode()) is None
    assert record.opened_by(OTHER.encode()) == [KEY.encode()]
    joined = second.of_store(record)
    before = first.hash_value("130681", "buyer_id")
    assert before is not None
    assert joined.hash_value("130681", "buyer_id") == joined.renew(before, last=True)
    assert joined.hash_value("130681", "buyer_id") not in (before, second.hash_value("130681", "buyer_id"))

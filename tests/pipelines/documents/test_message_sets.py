"""A whole set of messages, from the files to the checks: every fault is found, no trap is taken for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from configs.schema.checks import LAW_CHECKS
from pipelines.cli.main import run
from pipelines.simulation.messages.files import FileStyle
from tests.pipelines.documents.message_sets import MessageSet, make_message_set
from tests.pipelines.taken_in import stored_bytes

KEY = ["declaration_id", "line_no", "check", "outcome", "day"]
DOCUMENTS = ("orders", "payments", "waybills", "cancellations", "returns", "receipts", "taxes")
TABLES = ("checks", "inspections", *DOCUMENTS)
ENCODINGS = ("utf-8", "gb18030", "utf-16")


@contextmanager
def key() -> Iterator[None]:
    """The environment with a key, for fixtures that are made before a test has its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PARCEL_RISK_PSEUDONYM_KEY", "a key for tests, not a secret")
        yield


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> MessageSet:
    return make_message_set(tmp_path_factory.mktemp("set"))


def checked(store: Path, messages: MessageSet, *calls: list[Path]) -> Path:
    """The store after the files were taken in, in these calls, and every day was checked."""
    with key():
        for paths in calls:
            names = [str(path) for path in paths]
            assert run(["ingest", *names, "--store", str(store), "--source", "ceb", "--quiet"]) == 0
        first, last = messages.days[0].isoformat(), messages.days[-1].isoformat()
        assert run(["check", "--store", str(store), "--date", first, "--to", last, "--quiet"]) == 0
    return store


def findings(store: Path) -> pl.DataFrame:
    """What the checks found of documents and returns; of the law nothing is planted."""
    files = sorted((store / "checks").rglob("*.parquet"))
    return (
        pl.read_parquet(files, hive_partitioning=True)
        .rename({"declared_on": "day"})
        .with_columns(pl.col("day").cast(pl.Date))
        .filter(~pl.col("check").is_in(LAW_CHECKS))
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, messages: MessageSet) -> Path:
    return checked(tmp_path_factory.mktemp("store") / "S", messages, [messages.folder])


def test_all_faults_are_found_and_none_invented(store: Path, messages: MessageSet) -> None:
    found, expected = findings(store), messages.expected
    missed = expected.join(found, on=KEY, how="anti", nulls_equal=True)
    invented = found.join(expected, on=KEY, how="anti", nulls_equal=True)
    assert missed.is_empty(), missed
    assert invented.is_empty(), invented
    assert found.select(KEY).is_duplicated().sum() == 0
    assert expected["check"].n_unique() == 14


def test_order_and_cutting_of_files_make_no_difference(
    store: Path, messages: MessageSet, tmp_path: Path
) -> None:
    style = FileStyle(seed=5)
    other = make_message_set(tmp_path / "set", style=style)
    files = sorted(other.folder.rglob("*.xml"))
    calls = [files[number::3] for number in (2, 0, 1)]
    again = checked(tmp_path / "S", other, *calls)
    assert stored_bytes(again, *TABLES) == stored_bytes(store, *TABLES)
    lines = [pl.read_parquet(sorted((each / "declarations").rglob("*.parquet"))) for each in (again, store)]
    order = ["declaration_id", "line_no"]
    assert lines[0].drop("sent_at").sort(order).equals(lines[1].drop("sent_at").sort(order))


def named_in(store: Path, persons: Iterable[str]) -> list[str]:
    """Who of these persons stands in a file of the store, in any encoding that messages were written in."""
    texts, raw = [], []
    for path in sorted(store.rglob("*")):
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path, hive_partitioning=False).select(
                pl.col(pl.String).unique().implode()
            )
            texts.append(str(frame.to_dicts()))
        elif path.is_file():
            raw.append(path.read_bytes())
    text, other = "\n".join(texts), b"\n".join(raw)
    return [
        person
        for person in persons
        if person in text or any(person.encode(encoding) in other for encoding in ENCODINGS)
    ]


def test_nobody_of_the_messages_is_named_in_the_store(store: Path, messages: MessageSet) -> None:
    assert messages.persons
    assert named_in(store, messages.persons) == []


def test_messages_in_other_encodings_say_the_same_and_name_nobody(
    store: Path, messages: MessageSet, tmp_path: Path
) -> None:
    other = make_message_set(tmp_path / "set")
    files = sorted(other.folder.rglob("*.xml"))
    for number, file in enumerate(files):
        encoding = ENCODINGS[number % len(ENCODINGS)]
        text = file.read_text(encoding="utf-8")
        declared = text.replace('encoding="UTF-8"', f'encoding="{encoding.upper()}"', 1)
        assert declared != text or encoding == "utf-8"
        file.write_bytes(declared.encode(encoding))
    again = checked(tmp_path / "S", other, [other.folder])
    assert stored_bytes(again, *TABLES) == stored_bytes(store, *TABLES)
    assert named_in(again, other.persons) == []

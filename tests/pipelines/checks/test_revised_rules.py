"""A past day that is checked again with revised tables says what changed, and the manifest keeps it."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from configs.loader import load_settings
from configs.reference.facts import load_reference
from pipelines.checks.revised_rules import RevisedRules
from pipelines.cli.main import run
from pipelines.history.chronicle import Chronicle
from pipelines.night.score import _check
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.features.checked_days import CLOSE, DAY, LINE
from tests.pipelines.checks.test_rules_of_goods import BANNED, dated, rules
from tests.pipelines.documents_in_store import make_documents

EVE = DAY - timedelta(days=1)
SENT = LINE | {"sent_at": CLOSE - timedelta(hours=8), "hs_code": "9503008900", "customs_office": "4601"}
FRENCH = SENT | {"hs_code": "3304990000", "origin_country": "FR"}
BAN = "{},,cosmetics,a trial,33,import,a notice,,,,2020-01-01,\n"
LIMITS = (
    "name,value,valid_from,ends,notice,note\n"
    "order_limit_cny,{},2019-01-01,,a notice,\nyearly_allowance_cny,26000,2019-01-01,,a notice,\n"
    "articles_limit_cny,1000,2010-09-01,,a notice,\narticles_limit_nearby_cny,800,2010-09-01,,a notice,\n"
    "articles_free_tax_cny,50,2010-09-01,,a notice,\n"
)


def checked(store: Store, *options: str | Path) -> list[dict[str, Any]]:
    """What the manifests of the checked days say, oldest first."""
    words = [str(option) for option in options]
    assert run(["check", "--store", str(store.path), "--date", str(EVE), "--to", str(DAY), *words]) == 0
    days = [store.layout.manifests_of_day("check", day)[-1] for day in (EVE, DAY)]
    return [json.loads(file.read_text(encoding="utf-8")) for file in days]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Two days: of the first a French line, of the second two in one parcel, and a dear parcel."""
    lines = [
        dated(FRENCH, EVE),
        FRENCH | {"declaration_id": "INV2"},
        FRENCH | {"declaration_id": "INV2", "line_no": 2},
        SENT | {"declaration_id": "INV3", "total_price": 4_000.0, "item_name": "toy"},
    ]
    return make_documents(tmp_path / "S", lines)


def test_revised_tables_are_named_with_what_the_rules_find_since(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = rules(tmp_path / "first", banned_origins=BANNED + BAN.format("DE"), limits=LIMITS.format(3_000))
    second = rules(tmp_path / "second", banned_origins=BANNED + BAN.format("FR"), limits=LIMITS.format(5_000))
    assert not [each for each in checked(store, "--configs", first) if "revised" in each]
    assert "tables revised" not in capsys.readouterr().out

    eve, day = checked(store, "--configs", second)
    said = capsys.readouterr().out
    assert "tables revised since it was checked before: banned_origins, limits\n" in said
    assert "  banned_goods       failed           3 newly, 0 no longer\n" in said
    assert "  order_limit        failed           0 newly, 1 no longer\n" in said
    revisions = [load_reference(folder).revisions for folder in (first, second)]
    for each in (eve, day):
        assert each["revised"]["tables"] == {
            name: {"was": revisions[0][name], "is": revisions[1][name]}
            for name in ("banned_origins", "limits")
        }
        assert each["tables"] == revisions[1]
    assert eve["revised"]["changes"] == {"banned_goods": {"failed": {"newly": 1, "no_longer": 0}}}
    assert day["revised"]["changes"] == {
        "banned_goods": {"failed": {"newly": 2, "no_longer": 0}},
        "order_limit": {"failed": {"newly": 0, "no_longer": 1}},
    }

    assert not [each for each in checked(store, "--configs", second) if "revised" in each]
    assert "tables revised" not in capsys.readouterr().out


def test_a_revision_that_changes_nothing_is_told_as_one(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checked(store)
    noted = rules(tmp_path / "noted", limits=LIMITS.format(5_000))
    eve, day = checked(store, "--configs", noted)
    assert (eve["revised"]["changes"], day["revised"]["changes"]) == ({}, {})
    assert (
        "tables revised since it was checked before: limits\n  the rules find the same\n"
    ) in capsys.readouterr().out


def test_a_table_that_was_not_there_before_has_no_revision_of_then(store: Store) -> None:
    checked(store)
    (file,) = store.layout.manifests_of_day("check", DAY)
    said = json.loads(file.read_text(encoding="utf-8"))
    del said["tables"]["modes"]
    file.write_text(json.dumps(said), encoding="utf-8")
    _, day = checked(store)
    assert day["revised"] == {
        "tables": {"modes": {"was": None, "is": day["tables"]["modes"]}},
        "changes": {},
    }


def test_findings_that_are_damaged_keep_no_day_from_being_checked(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checked(store)
    file = store.layout.file(DayTable.LAW, DAY)
    file.write_bytes(b"PAR1")
    _, day = checked(store, "--configs", rules(tmp_path / "rules", limits=LIMITS.format(3_000)))
    assert "tables revised" not in day
    assert day["findings"]["order_limit"] == {"failed": 1}
    assert f"{DAY}: what revised tables change cannot be told: {file}" in caplog.text


def test_a_night_that_is_replayed_tells_the_log(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checked(store)
    settings = load_settings(rules(tmp_path / "rules", limits=LIMITS.format(3_000)))
    with store.lock("test"), caplog.at_level(logging.INFO):
        _check(Chronicle(store, settings), DAY)
    assert f"{DAY}: tables revised since it was checked before: limits" in caplog.text
    assert "order_limit        failed           1 newly, 0 no longer" in caplog.text


def test_days_are_added_up() -> None:
    days = [
        RevisedRules({"limits": ("a", "c")}, {("order_limit", "failed"): (1, 2)}),
        RevisedRules({"limits": ("b", "c"), "bounds": (None, "d")}, {("order_limit", "note"): (3, 0)}),
        RevisedRules({"limits": ("b", "c")}, {("order_limit", "failed"): (4, 0)}),
    ]
    together = RevisedRules.together(days)
    assert list(together.tables) == ["bounds", "limits"]
    assert together.tables["limits"] == ("a", "c")
    assert together.changes == {("order_limit", "failed"): (5, 2), ("order_limit", "note"): (3, 0)}

"""The command line: its verbs, its options, and how each kind of end is told."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest

from configs.errors import (
    ConfigurationError,
    DataError,
    NoChampionError,
    ParcelRiskError,
    StoreLockedError,
    TrackingError,
    UsageError,
)
from pipelines.cli.main import cli, run
from pipelines.cli.options import (
    Session,
    demo_directory,
    verb,
    with_capacity,
    with_language,
)
from pipelines.work.report import Report
from tests.places import ROOT

VERBS = ["ingest", "withdraw", "simulate", "train", "evaluate", "tune", "combinations", "champion", "score"]
VERBS += ["check", "select", "plan", "feedback", "report", "statistics", "backtest", "monitor"]
VERBS += ["forget", "rekey", "doctor", "demo"]


def every_verb() -> list[tuple[str, click.Command]]:
    context = click.Context(cli)
    commands = {name: cli.get_command(context, name) for name in cli.list_commands(context)}
    champion = commands.pop("champion")
    assert isinstance(champion, click.Group)
    single = [(name, command) for name, command in commands.items() if command is not None]
    return single + [(f"champion {name}", command) for name, command in champion.commands.items()]


@dataclass
class Done:
    exit_code: int = 0
    summary: list[str] = field(default_factory=lambda: ["3 lines kept"])

    def lines(self) -> Sequence[str]:
        return self.summary

    def as_dict(self) -> Mapping[str, object]:
        return {"rows_kept": 3}


@pytest.fixture
def trial() -> Iterator[list[Any]]:
    """A verb `trial` that ends as its single entry says: with a report or an error."""
    ends: list[Any] = []

    @click.command("trial")
    @verb("trial")
    def command(session: Session) -> Report:
        if isinstance(ends[0], BaseException):
            raise ends[0]
        return ends[0]  # type: ignore[no-any-return]

    cli.add_command(command)
    yield ends
    del cli.commands["trial"]


def test_help_lists_the_verbs_in_the_order_of_their_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == VERBS


@pytest.mark.parametrize(("name", "command"), every_verb())
def test_every_verb_has_an_example_and_the_common_options(
    name: str, command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"parcel-risk {name}" in text.partition("Example:")[2]
    options = {option for parameter in command.params for option in parameter.opts}
    assert {"--configs", "-v", "--quiet", "--log-format"} <= options


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("ingest", {"--store", "--source", "--mapping", "--backfill", "--check", "--memory-limit"}),
        (
            "simulate",
            {"--store", "--days", "--parcels-per-day", "--end", "--seed", "--drift", "--officers"}
            | {"--documents", "--rings"},
        ),
        ("train", {"--store", "--risk", "--until"}),
        ("champion list", {"--store"}),
        ("champion promote", {"--store", "--reason"}),
        ("champion rollback", {"--store", "--reason"}),
        (
            "score",
            {"--store", "--date", "--to", "--memory-limit", "--workers", "--scheduler", "--threads"}
            | {"--language"},
        ),
        ("select", {"--store", "--date", "--capacity", "--language"}),
        ("demo", set()),
    ],
)
def test_options_are_those_of_the_contract(name: str, options: set[str]) -> None:
    command = dict(every_verb())[name]
    common = {"--configs", "-v", "--verbose", "--quiet", "--log-format"}
    named = {option for parameter in command.params for option in parameter.opts if option.startswith("-")}
    assert named - common == options


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["Usage"]),
        (["judge"], ["No such command", "judge"]),
        (["ingest", "--store", "S"], ["PATH"]),
        (["ingest", "no-such-file.xml", "--store", "S"], ["no-such-file.xml", "does not exist"]),
        (["score", "--date", "2026-11-20"], ["--store"]),
        (["score", "--store", "S", "--date", "20.11.2026"], ["YYYY-MM-DD", "'20.11.2026'"]),
        (["score", "--store", "S", "--date", "20261120"], ["YYYY-MM-DD", "'20261120'"]),
        (["score", "--store", "S", "--date", "2026-02-30"], ["YYYY-MM-DD", "'2026-02-30'"]),
        (["score", "--store", "S", "--date", "2026-11-20", "--to", "2026-11-19"], ["2026-11-19 is before"]),
        (["score", "--store", "S", "--date", "2026-11-20", "--workers", "0"], ["--workers"]),
        (
            ["select", "--store", "S", "--date", "2026-11-20", "--capacity", "5316="],
            ["'5316='", "number of parcels"],
        ),
        (
            ["select", "--store", "S", "--date", "2026-11-20", "--capacity", "=60"],
            ["'=60'", "number of parcels"],
        ),
        (["train", "--store", "S", "-v", "--quiet"], ["exclude each other"]),
        (["train", "--store", "S", "--configs", "no-such-folder"], ["no-such-folder"]),
        (["champion", "promote", "food_safety", "1"], ["--reason"]),
        (["champion", "promote", "food_safety", "first", "--reason", "r"], ["VERSION", "first"]),
    ],
)
def test_wrong_usage_is_told_and_ends_with_2(
    arguments: list[str], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    message = capsys.readouterr().err
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ParcelRiskError("m"), 1),
        (UsageError("m"), 2),
        (ConfigurationError("m"), 2),
        (DataError("m"), 3),
        (NoChampionError("m"), 4),
        (StoreLockedError("m"), 1),
        (TrackingError("m"), 1),
        (OSError(28, "No space left on device", "S/scores"), 1),
        (MemoryError(), 1),
        (BrokenProcessPool(), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_an_error_is_one_line_and_its_own_exit_code(
    trial: list[Any], error: BaseException, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.append(error)
    assert run(["trial"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert " error: " in printed.err


def test_an_unexpected_error_says_where_but_quotes_no_data(
    trial: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    trial.append(ValueError("could not convert 'Wang Xiaoming'"))
    assert run(["trial"]) == 1
    message = capsys.readouterr().err
    assert "ValueError" in message
    assert "test_cli.py, line" in message
    assert "Traceback" not in message
    assert "Wang" not in message


def test_verbose_shows_the_traceback(trial: list[Any], capsys: pytest.CaptureFixture[str]) -> None:
    trial.append(ValueError("no number"))
    assert run(["trial", "-v"]) == 1
    message = capsys.readouterr().err
    assert "Traceback" in message
    assert "ValueError: no number" in message


@pytest.mark.parametrize("code", [0, 3, 5])
def test_a_report_is_printed_and_gives_the_exit_code(
    trial: list[Any], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    trial.append(Done(code, ["3 lines kept", "1 in quarantine"]))
    assert run(["trial"]) == code
    assert capsys.readouterr().out == "3 lines kept\n1 in quarantine\n"


def test_quiet_says_nothing_of_success_and_everything_of_gaps(
    trial: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    trial.append(Done(0))
    assert run(["trial", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    trial[0] = Done(5)
    assert run(["trial", "--quiet"]) == 5
    assert capsys.readouterr() == ("3 lines kept\n", "")


def test_json_reports_and_errors_are_one_object_a_line(
    trial: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    trial.append(Done(5))
    assert run(["trial", "--log-format", "json"]) == 5
    assert json.loads(capsys.readouterr().out) == {"verb": "trial", "exit_code": 5, "rows_kept": 3}
    trial[0] = DataError("expected a price\nin row 7")
    assert run(["trial", "--log-format", "json"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["level"] == "error"
    assert entry["exit_code"] == 3
    assert entry["message"] == "expected a price\nin row 7"


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--store", "S", "--risk", "undervaluatoin"],
        ["champion", "rollback", "undervaluatoin", "--reason", "r", "--store", "S"],
    ],
)
def test_an_unknown_risk_is_named_with_the_nearest(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    assert "undervaluation" in capsys.readouterr().err


def test_capacity_of_the_command_line_replaces_the_configured() -> None:
    from configs.loader import load_settings

    settings = load_settings()
    assert with_capacity(settings, []) is settings
    every = with_capacity(settings, [(None, 60), ("5316", 120)]).capacity
    assert every.for_office("5316").places(10_000) == 120
    assert every.for_office("4601").places(10_000) == 60
    one = with_capacity(settings, [("5316", 120)]).capacity
    assert one.for_office("5316").places(10_000) == 120
    assert one.for_office("4601") == settings.capacity.for_office("4601")


def test_a_capacity_for_all_leaves_an_office_its_language_and_its_list_of_exports() -> None:
    from configs.loader import load_settings
    from configs.schema.capacity import CapacityConfig, ListCapacity, OfficeOverride

    own = ListCapacity(parcels=3)
    offices = {
        "5316": OfficeOverride(parcels=5, language="zh-CN", exports=own), "2244": OfficeOverride(share=0.5)
    }  # fmt: skip
    settings = load_settings().model_copy(update={"capacity": CapacityConfig(offices=offices)})
    every = with_capacity(settings, [(None, 60)])
    assert every.capacity.language_of("5316") == "zh-CN"
    assert [every.capacity.for_office(office).places(1_000) for office in offices] == [60, 60]
    assert [every.capacity.for_office(office).exports for office in offices] == [own, None]
    english = with_language(every, "en").capacity
    assert (english.language_of("5316"), english.languages) == ("en", ("en",))
    assert with_language(every, None) is every


def test_demo_stays_inside_the_checkout() -> None:
    assert demo_directory() == ROOT / "demo"


def test_the_store_option_refuses_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "store.parquet"
    file.touch()
    assert run(["train", "--store", str(file)]) == 2
    assert "store.parquet" in capsys.readouterr().err


def test_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.split()[-1] == version("parcel-risk")


@pytest.mark.parametrize("asked", ["--help", *(f"{name} --help" for name in VERBS), "judge", "score"])
def test_help_and_wrong_usage_do_not_load_what_only_a_run_needs(asked: str) -> None:
    heavy = {"polars", "pandas", "mlflow", "lightgbm", "pydantic", "numpy", "rich", "babel", "yaml"}
    code = (
        f"import sys; from pipelines.cli.main import run; run({asked.split()}); "
        f"print({heavy} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "set()"

"""Log lines: who speaks when, JSON that parses, and no identity in any of them."""

from __future__ import annotations

import json
import logging
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.logs import JsonFormatter, set_up_logging


@pytest.mark.parametrize(
    ("verbose", "quiet", "said"),
    [
        (False, False, ["told", "warned"]),
        (True, False, ["detailed", "told", "warned"]),
        (False, True, ["warned"]),
    ],
)
def test_levels(verbose: bool, quiet: bool, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging(verbose=verbose, quiet=quiet)
    logger = logging.getLogger("pipelines.night.score")
    logger.debug("detailed")
    logger.info("told")
    logger.warning("warned")
    logging.getLogger("a_library").info("chatter")
    assert [line.split()[-1] for line in capsys.readouterr().err.splitlines()] == said


def test_a_second_set_up_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging()
    set_up_logging(log_format="json")
    logging.getLogger("pipelines.night.score").info("once", extra={"rows": 7})
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert (entry["message"], entry["rows"], entry["level"]) == ("once", 7, "info")
    assert entry["logger"] == "pipelines.night.score"


@given(message=st.text(), value=st.one_of(st.integers(), st.floats(allow_nan=False), st.text(), st.none()))
def test_any_record_is_one_line_of_json(message: str, value: object) -> None:
    record = logging.makeLogRecord({"msg": message, "value": value})
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert set(json.loads(line)) == {"time", "level", "logger", "message", "value"}


def test_masks_reach_tracebacks_and_extras_but_no_number() -> None:
    try:
        raise ValueError("cannot parse '11010519491231002X'")
    except ValueError as error:
        record = logging.makeLogRecord(
            {
                "msg": "failed",
                "exc_info": (type(error), error, error.__traceback__),
                "examples": ["13800138000", {"row": "13800138001"}],
                "bytes": 13_800_138_000,
            }
        )
    entry = json.loads(JsonFormatter().format(record))
    assert "cannot parse '[masked]'" in entry["traceback"]
    assert entry["examples"] == ["[masked]", {"row": "[masked]"}]
    assert entry["bytes"] == 13_800_138_000


def test_a_librarys_warning_is_for_whoever_asks_for_every_detail(capsys: pytest.CaptureFixture[str]) -> None:
    # What a test before this one captured, pytest has released without telling.
    logging.captureWarnings(False)
    try:
        set_up_logging(quiet=True)
        warnings.showwarning("old style", DeprecationWarning, "library.py", 1)
        assert capsys.readouterr().err == ""
        set_up_logging(verbose=True)
        warnings.showwarning("old style", DeprecationWarning, "library.py", 1)
        assert "old style" in capsys.readouterr().err
    finally:
        logging.captureWarnings(False)

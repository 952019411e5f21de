"""Progress: bars on a terminal, silence elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from pipelines.work.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_is_shown_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress.on_terminal()
    with progress.task("score", total=3) as task:
        task.advance(3)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("total", [3, None])
def test_a_terminal_sees_nested_tasks(monkeypatch: pytest.MonkeyPatch, total: int | None) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    progress = Progress.on_terminal()
    for _ in range(2):
        with progress.task("days of November", total=total) as days:
            with progress.task("buckets of a day") as buckets:
                buckets.advance()
            days.advance()
    shown = terminal.getvalue()
    assert "days of November" in shown
    assert "buckets of a day" in shown


def test_an_error_takes_the_bars_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    progress = Progress.on_terminal()
    before = sys.stderr
    with pytest.raises(RuntimeError, match="boom"), progress.task("days"), progress.task("buckets"):
        raise RuntimeError("boom")
    assert sys.stderr is before

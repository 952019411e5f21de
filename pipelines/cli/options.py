"""What every verb of the command line shares: its options, its settings, and how it ends."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from configs import loader
from configs.errors import ParcelRiskError
from configs.language_codes import LANGUAGES, LanguageCode
from configs.schema import capacity as capacity_schema
from pipelines.cli.logs import LogFormat, set_up_logging, to_json
from pipelines.cli.types import Capacity, Day, MemorySize
from pipelines.machine import libraries
from pipelines.work import caches, permissions
from pipelines.work.attempts import cure, in_words
from pipelines.work.progress import Progress
from pipelines.work.report import Report

if TYPE_CHECKING:
    from configs.schema.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Session:
    """One call of a verb: how it was asked to talk, and the settings to run with."""

    verb: str
    configs: Path | None
    verbose: bool
    quiet: bool
    log_format: LogFormat

    @functools.cached_property
    def settings(self) -> Settings:
        """The packaged settings with the folder of `--configs` laid over them; from now on new files are
        readable by whom they name.
        """
        settings = loader.load_settings(self.configs)
        os.umask(permissions.UMASKS[settings.pipeline.store.readable_by])
        return settings

    @functools.cached_property
    def progress(self) -> Progress:
        """Bars on a terminal, nothing in a log."""
        return Progress.silent() if self.quiet or self.log_format == "json" else Progress.on_terminal()

    def summary(self, report: Report) -> str:
        """Return what is printed of the report; with `--quiet` nothing of one that is done."""
        if self.log_format == "json":
            return to_json({"verb": self.verb, "exit_code": report.exit_code, **report.as_dict()})
        return "" if self.quiet and not report.exit_code else "\n".join(report.lines())


def with_capacity(settings: Settings, capacities: Sequence[tuple[str | None, int]]) -> Settings:
    """Return the settings with the capacities of the command line in place of the configured ones.

    A number for every office takes the place of every configured capacity, so that no office keeps
    one that the command does not show. What it does not name stays as configured, and so do lists of exports.
    """
    if not capacities:
        return settings
    capacity = settings.capacity
    numbers = dict(capacities)
    if None in numbers:
        default = capacity.default.model_copy(update={"parcels": numbers.pop(None)})
        spoken = {
            office: capacity_schema.OfficeOverride(language=each.language, exports=each.exports)
            for office, each in capacity.offices.items()
            if each.language is not None or each.exports is not None
        }
        capacity = capacity.model_copy(update={"default": default, "offices": spoken})
    named = {
        office: capacity.offices.get(office, capacity_schema.OfficeOverride()).model_copy(
            update={"parcels": parcels, "share": None, "minimum": None}
        )
        for office, parcels in numbers.items()
        if office is not None
    }
    capacity = capacity.model_copy(update={"offices": {**capacity.offices, **named}})
    return settings.model_copy(update={"capacity": capacity})


def with_language(settings: Settings, language: LanguageCode | None) -> Settings:
    """Return the settings with the documents of all offices in `language`, where there is one."""
    if language is None:
        return settings
    return settings.model_copy(update={"capacity": settings.capacity.speaking((language, ()))})


def demo_directory() -> Path:
    """Return `demo/` of the checkout that the program runs from; without one, of the current folder."""
    checkout = Path(__file__).resolve().parents[2]
    return (checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()) / "demo"


store_option = click.option(
    "--store",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    metavar="S",
    help="Folder of the store.",
)
memory_limit_option = click.option(
    "--memory-limit",
    type=MemorySize(),
    help="Stay within this memory, such as 2GiB, with fewer workers or smaller chunks.",
)
language_option = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    help="Language of all workbooks, pages and reasons. [default: the office's]",
)
registry_option = click.option(
    "--store",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="S",
    help="The store whose models are meant. [default: those at MLFLOW_TRACKING_URI]",
)


scored_day_option = click.option("--date", "day", type=Day(), required=True, help="A day that is scored.")
files_argument = click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)


def capacity_option(use: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option of capacities, whose help begins with what they are used for."""
    words = f"{use}: N for each office, or OFFICE=N for one; may be given again."
    return click.option("--capacity", "capacities", type=Capacity(), multiple=True, help=words)


def verb(name: str) -> Callable[[Callable[..., Report]], Callable[..., int]]:
    """Give a function that returns a report the options of every verb, and turn its end into an exit code.

    The function gets a `Session` as first argument. Errors become one line and the code of their
    class; the traceback is shown only with `-v`, since it may quote data.
    """

    def decorate(function: Callable[..., Report]) -> Callable[..., int]:
        @click.option(
            "--configs",
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DIR",
            help="Folder laid over the packaged settings: same names replace, new ones join.",
        )
        @click.option("-v", "--verbose", is_flag=True, help="Say every detail; show tracebacks.")
        @click.option("--quiet", is_flag=True, help="Say only warnings and errors.")
        @click.option(
            "--log-format",
            type=click.Choice(["text", "json"]),
            default="text",
            show_default=True,
            help="Lines for people, or one JSON object a line.",
        )
        @functools.wraps(function)
        def run(configs: Path | None, verbose: bool, quiet: bool, log_format: str, **options: Any) -> int:
            if verbose and quiet:
                raise click.UsageError("-v and --quiet exclude each other: give one of them.")
            session = Session(name, configs, verbose, quiet, cast(LogFormat, log_format))
            set_up_logging(verbose=verbose, quiet=quiet, log_format=session.log_format)
            try:
                with permissions.readable_by("owner"):
                    caches.name_caches(options.get("store"))
                    report = function(session, **options)
                    summary = session.summary(report)
            except (click.ClickException, click.exceptions.Exit, click.Abort, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - a panic of Polars is no `Exception`
                return _failed(session, error)
            if summary:
                click.echo(summary)
            return report.exit_code

        return run

    return decorate


def _failed(session: Session, error: BaseException) -> int:
    message, code = _explained(error)
    fields = {"verb": session.verb, "exit_code": code, "error": type(error).__name__}
    logger.error("%s", message, extra=fields, exc_info=error if session.verbose else None)
    return code


def _explained(error: BaseException) -> tuple[str, int]:
    if isinstance(error, ParcelRiskError):
        return str(error), error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return (
            "interrupted; what was finished is kept, and the same command goes on from there.",
            130,
        )
    missing = libraries.load_failure(error)
    if missing is not None:
        return missing, 1
    message = in_words(error)
    advice = cure(error)
    return f"{message}. {advice}" if advice else message, 1

"""The command line `parcel-risk`: each verb reads its options, calls its pipeline and prints the report."""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from pipelines import collect_rarely
from pipelines.cli.options import (
    Report,
    Session,
    demo_directory,
    language_option,
    memory_limit_option,
    store_option,
    verb,
    with_language,
)
from pipelines.cli.types import Day
from pipelines.cli.verbs.backtest import backtest
from pipelines.cli.verbs.champion import champion
from pipelines.cli.verbs.combinations import combinations
from pipelines.cli.verbs.feedback import feedback
from pipelines.cli.verbs.monitor import monitor
from pipelines.cli.verbs.plan import plan
from pipelines.cli.verbs.report import report
from pipelines.cli.verbs.select import select
from pipelines.cli.verbs.tune import tune

if TYPE_CHECKING:
    from configs.language import LanguageCode

_HELP_WIDTH = 100

# The pipelines are imported by the verb that runs: `--help` answers at once, and a verb pays only
# for what it uses.


class _InOrderOfUse(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrderOfUse,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _HELP_WIDTH},
)
@click.version_option(package_name="parcel-risk")
def cli() -> None:
    """Rank cross-border e-commerce parcels for inspection.

    Declarations and inspection results go in (ingest), models learn from the results (train), every
    night scores a day and writes each office's sampling list (score). Try it all with: parcel-risk demo
    """


@cli.command(short_help="Take declarations or inspections into a store.")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    metavar="FILE...",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@store_option
@click.option(
    "--source",
    type=click.Choice(["ceb", "table"]),
    help="What the files are; told by their content if missing.",
)
@click.option(
    "--mapping",
    metavar="M",
    help="For a foreign table: a name in configs/sources/, or a path to a YAML file.",
)
@memory_limit_option
@verb("ingest")
def ingest(
    session: Session,
    files: tuple[Path, ...],
    store: Path,
    source: Literal["ceb", "table"] | None,
    mapping: str | None,
    memory_limit: int | None,
) -> Report:
    """Take declarations or inspections into a store.

    FILE is CEB621 or CEB603 XML, or a CSV or Parquet table. Rows that break the data contract go to
    quarantine with their reasons; beyond the configured tolerance the exit code is 3.

    \b
    Example:
      parcel-risk ingest inventories/*.xml --store S
      parcel-risk ingest declarations.csv --store S --mapping korea --memory-limit 2GiB
    """
    from pipelines.ingest.ingest import ingest as run
    from pipelines.work.memory_limit import within_memory

    settings = within_memory(session.settings, memory_limit)
    return run(files, store, source=source, mapping=mapping, settings=settings, progress=session.progress)


@cli.command(short_help="Fill a store with simulated data.")
@store_option
@click.option("--days", type=click.IntRange(min=1), required=True, metavar="N", help="How many days.")
@click.option(
    "--parcels-per-day", type=click.IntRange(min=1), required=True, metavar="M", help="On an average day."
)
@click.option("--end", type=Day(), required=True, help="The last day.")
@click.option(
    "--seed", type=click.IntRange(min=0), required=True, metavar="K", help="The same seed, the same data."
)
@click.option("--drift", is_flag=True, help="Let behaviour change over time.")
@verb("simulate")
def simulate(
    session: Session, store: Path, days: int, parcels_per_day: int, end: date, seed: int, drift: bool
) -> Report:
    """Fill a store with simulated declarations, inspections and the truth behind them.

    \b
    Example:
      parcel-risk simulate --store S --days 120 --parcels-per-day 5000 --end 2026-11-20 --seed 7
    """
    from pipelines.simulation import simulate as run

    return run(
        store,
        days=days,
        parcels_per_day=parcels_per_day,
        end=end,
        seed=seed,
        drift=drift,
        settings=session.settings,
        progress=session.progress,
    )


@cli.command(short_help="Train, evaluate and register models.")
@store_option
@click.option(
    "--risk", "risks", multiple=True, metavar="R", help="Only this risk; may be given again. [default: all]"
)
@click.option(
    "--until", type=Day(), help="Learn from what was reported up to and including this day. [default: all]"
)
@verb("train")
def train(session: Session, store: Path, risks: tuple[str, ...], until: date | None) -> Report:
    """Train, evaluate and register a model for each risk; promote those that pass their gate.

    \b
    Example:
      parcel-risk train --store S --risk undervaluation --until 2026-11-19
    """
    chosen = [risk.name for risk in session.settings.select_risks(risks)]
    from pipelines.training.train import train as run

    return run(
        store,
        risks=chosen,
        until=until,
        settings=session.settings,
        progress=session.progress,
    )


cli.add_command(tune)
cli.add_command(combinations)
cli.add_command(champion)


@cli.command(short_help="Score days and write their sampling lists.")
@store_option
@click.option("--date", "first", type=Day(), required=True, help="The day to score.")
@click.option("--to", "last", type=Day(), help="Score each day from --date to this one.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes, or workers of the cluster to wait for. [default: scoring.workers, or 1 of a cluster]",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Score on the Dask cluster at this address; see docs/scaling.md."
)
@click.option(
    "--threads", type=click.IntRange(min=1), metavar="T", help="Threads a process. [default: scoring.threads]"
)
@memory_limit_option
@language_option
@verb("score")
def score(
    session: Session,
    store: Path,
    first: date,
    last: date | None,
    workers: int | None,
    scheduler: str | None,
    threads: int | None,
    memory_limit: int | None,
    language: LanguageCode | None,
) -> Report:
    """Score a day, or each day of a range, and write its sampling lists: the nightly job.

    Run it again after an interruption: it repeats only what is missing, and a finished day stays as it is.

    \b
    Example:
      parcel-risk score --store S --date 2026-11-20 --workers 8
      parcel-risk score --store S --date 2026-11-01 --to 2026-11-20
      parcel-risk score --store S --date 2026-11-20 --scheduler tcp://10.0.0.1:8786
    """
    last = last or first
    if last < first:
        raise click.UsageError(f"--to {last} is before --date {first}: give the earlier day as --date.")
    if memory_limit is not None and scheduler is not None:
        raise click.UsageError("--memory-limit is of this machine, the workers of a cluster have their own.")
    from pipelines.night.score import score as run

    return run(
        store,
        first=first,
        last=last,
        workers=workers,
        threads=threads,
        scheduler=scheduler,
        memory_limit=memory_limit,
        settings=with_language(session.settings, language),
        progress=session.progress,
    )


cli.add_command(select)
cli.add_command(plan)
cli.add_command(feedback)
cli.add_command(report)
cli.add_command(backtest)
cli.add_command(monitor)


@cli.command(short_help="All of it on simulated data, in minutes.")
@verb("demo")
def demo(session: Session) -> Report:
    """Do all of it on simulated data, in minutes, in the folder demo/ of the checkout.

    \b
    Example:
      parcel-risk demo
    """
    from pipelines.demo.demo import demo as run

    return run(demo_directory(), settings=session.settings, progress=session.progress)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code.

    >>> run(["score", "--date", "yesterday"])
    2
    """
    try:
        # Standalone, click would turn every end into its own exit codes.
        code = cli.main(args=list(arguments), prog_name="parcel-risk", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    # `--help` and `--version` end without a report.
    return code if isinstance(code, int) else 0


def main() -> None:
    """Entry point of the installed program."""
    collect_rarely()
    code = run(sys.argv[1:])
    # Else Python looks for garbage among all that it takes down, for a second.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()

"""The command line `parcel-risk`: each verb reads its options, calls its pipeline and prints the report."""

from __future__ import annotations

import gc
import io
import sys
from collections.abc import Sequence

import click

from pipelines import collect_rarely
from pipelines.cli import verbs
from pipelines.cli.lazy import LazyGroup

_HELP_WIDTH = 100


@click.group(
    cls=LazyGroup,
    package=verbs,
    order=verbs.ORDER_OF_USE,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _HELP_WIDTH},
)
@click.version_option(package_name="parcel-risk")
def cli() -> None:
    """Rank cross-border e-commerce parcels for inspection.

    Declarations and inspection results go in (ingest), models learn from the results (train), every
    night scores a day and writes each office's sampling list (score). Try it all with: parcel-risk demo
    """


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
    for stream in (sys.stdout, sys.stderr):
        # A name that the terminal's encoding lacks, or the bytes of a file name in another, end no run.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    collect_rarely()
    code = run(sys.argv[1:])
    # Else Python looks for garbage among all that it takes down, for a second.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()

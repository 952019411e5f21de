"""The layout of a store: every folder and file in it and beside it, by what it holds.

Only `pipelines.store.day_work`, the inside of a working folder, spells paths of the store besides.
Paths are whole, and a transaction takes them as they are.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Final

from pipelines.store.day_table import DayTable
from pipelines.store.day_work import TODAY, DayWork

LIST_TEXT: Final = "sampling_list.csv"
ADDED_LATER: Final = "added_later.parquet"
INCOMPLETE: Final = "incomplete.json"
SET_ASIDE: Final = "set_aside.json"
PLAN_PAGE: Final = "plan.html"
REPORT: Final = "report.json"
REPORT_PAGE: Final = "report.html"
CHAMPION: Final = "champion.json"
WITHDRAWN: Final = "withdrawn.json"
OUT_OF_TIME: Final = "out_of_time.parquet"
APPLIED: Final = "applied.parquet"
RETURNED: Final = "returned.parquet"
RINGS: Final = "rings.parquet"
_BUCKET: Final = re.compile(r"bucket-(\d+)-of-(\d+)\.parquet")
_ISSUED: Final = re.compile(r"(\d{4,})-([0-9a-f]{12})\.parquet")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

LEARNED: Final = ("profiles", "learning", "models", "in_use")
"""Folders that only a backtest's strategy that learns needs."""


class Layout:
    """The paths of the store in the folder `root`, whether they exist or not.

    >>> Layout(Path("S")).partition(DayTable.SCORES, date(2026, 11, 20)).as_posix()
    'S/scores/declared_on=2026-11-20'

    Attributes:
        root: the folder.
        meta: the store's description of itself.
        metrics: figures of the last night for Prometheus, where the configuration names no other file.
        refold: the day from which histories are out of date; not there where none is.
        lock: what a run that writes holds, and which names the run.
        training: where trainings work, with models that no registry has yet.
        staging: what transactions have staged but not yet put in place.
        journal: changes that were decided on but not yet made.
        late_results: results of parcels opened before the period of a backtest, reported in it or later.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.meta = root / "store.json"
        self.metrics = root / "metrics" / "parcel_risk.prom"
        self.refold = root / ".runs" / "refold_from"
        self.lock = root / ".lock"
        self.training = root / ".training"
        self.staging = root / ".staging"
        self.journal = root / ".journal"
        self.late_results = root / "late.parquet"

    def table(self, table: DayTable) -> Path:
        """Return the folder of a table."""
        return self.root / table.folder

    def partition(self, table: DayTable, day: date | None) -> Path:
        """Return the folder of a table's day, named as Hive does; Hive's name stands for a null day."""
        return self.table(table) / f"{table.column}={day or '__HIVE_DEFAULT_PARTITION__'}"

    def days(self, table: DayTable) -> list[date]:
        """Return the days that a table has, oldest first; other folders are passed over."""
        prefix = f"{table.column}="
        names = [path.name.removeprefix(prefix) for path in self.table(table).glob(f"{prefix}*/")]
        return sorted(date.fromisoformat(name) for name in names if _DAY.fullmatch(name))

    def files(self, table: DayTable, day: date | None) -> list[Path]:
        """Return the Parquet files that a table has of a day, by name."""
        return sorted(self.partition(table, day).glob("*.parquet"))

    def file(self, table: DayTable, day: date) -> Path:
        """Return the file of a day, of a table that has one a day."""
        return self.partition(table, day) / table.file

    def retail_sums_source(self, day: date) -> Path:
        """Return the file that names what the sums of a day's retail imports were made of."""
        return self.partition(DayTable.RETAIL_SUMS, day) / "made_of.json"

    def numbered_file(self, table: DayTable, day: date | None, number: int) -> Path:
        """Return the file of this number, from 1, of a table that adds files to a day."""
        return self.partition(table, day) / table.file.format(number)

    def buckets(self, day: date) -> list[Path]:
        """Return the files with a day's declarations, in the order of their buckets."""
        return sorted(self.partition(DayTable.DECLARATIONS, day).glob("bucket-*.parquet"))

    def issued(self, day: date) -> list[Path]:
        """Return the files of the lists issued for a day, oldest first; see `issue_of`."""
        return [path for path in self.files(DayTable.ISSUED, day) if _ISSUED.fullmatch(path.name)]

    def issued_list(self, day: date, issue: int, list_id: str) -> Path:
        """Return the file of an issued list."""
        return self.partition(DayTable.ISSUED, day) / f"{issue:04d}-{list_id}.parquet"

    @property
    def ledger(self) -> list[Path]:
        """When which message changed a declaration, a file a run, in the order of the runs."""
        return sorted((self.root / "ledger").glob("*.parquet"))

    def ledger_file(self, number: int) -> Path:
        """Return the file of this number, from 1, of the ledger."""
        return self.root / "ledger" / f"run-{number:06d}.parquet"

    def taken(self, what: str) -> list[Path]:
        """Return the tables of ingested `files`, or of the `rows` that they brought, a run each, in order."""
        return sorted((self.root / "taken" / what).glob("run-*.parquet"))

    def taken_file(self, what: str, number: int) -> Path:
        """Return the one of the run of this number, from 1."""
        return self.root / "taken" / what / f"run-{number:06d}.parquet"

    def keys(self, partition: Path) -> Path:
        """Return the folder with the index of the keys in a table's day, by the folder of that day."""
        return self.root / ".keys" / partition.relative_to(self.root)

    def report(self, first: date, last: date, whose: str = "") -> Path:
        """Return the folder of the report of some days; `whose` ends the name of an office's or a risk's."""
        return self.root / "reports" / f"{first}_{last}{whose}"

    def statistics(self, month: date, folder: Path | None = None) -> Path:
        """Return the folder of a month's statistics, in the store or in another folder."""
        return (folder or self.root / "statistics") / f"month={month:%Y-%m}"

    def month_sums(self, month: date, what: str = "summed_up") -> Path:
        """Return the folder with the sums of a month, or of what was `returned_in` it."""
        return self.table(DayTable.STATISTICS_SUMS) / f"{what}={month:%Y-%m}"

    def all_returned_sums(self) -> list[Path]:
        """Return the folders with what was returned in a month, of all months."""
        return sorted(self.table(DayTable.STATISTICS_SUMS).glob("returned_in=*"))

    def statistics_issue(self, month: date, number: int) -> Path:
        """Return the file with the figures of an issue of a month's statistics, numbered from 1."""
        return self.root / "statistics_issues" / f"month={month:%Y-%m}" / f"{number:04d}.parquet"

    def statistics_issues(self, month: date) -> list[Path]:
        """Return the files of all issues of a month's statistics, oldest first."""
        return sorted(self.statistics_issue(month, 1).parent.glob("*.parquet"))

    def issued_months(self) -> list[date]:
        """Return the months of which statistics were issued, oldest first."""
        folders = self.statistics_issue(date.min, 1).parent.parent.glob("month=*")
        return sorted(date.fromisoformat(f"{path.name.removeprefix('month=')}-01") for path in folders)

    def manifest(self, verb: str, day: date, number: int) -> Path:
        """Return the manifest of this number, from 1, of a verb for a day."""
        return self.root / "manifests" / f"{verb}-{day}-{number}.json"

    def manifests(self, verb: str | None = None) -> list[Path]:
        """Return all manifests, or those of a verb, by name."""
        return sorted((self.root / "manifests").glob(f"{verb or '*'}-*.json"))

    def manifests_of_day(self, verb: str, day: date) -> list[Path]:
        """Return the manifests of a verb for a day, oldest first."""
        paths = (self.root / "manifests").glob(f"{verb}-{day}-*.json")
        return sorted(paths, key=lambda path: int(path.stem.rpartition("-")[2]))

    def models(self, risk: str) -> Path:
        """Return the folder of a risk's copied champions and `CHAMPION` (in use) or `WITHDRAWN` (was)."""
        return self.root / "models" / risk

    def trained_model(self, risk: str, name: str) -> Path:
        """Return the folder of a model trained by a backtest on what was known by the day `name`."""
        return self.models(risk) / name

    @property
    def mlflow(self) -> Path:
        """The folder beside the store with runs and models, where no server is named."""
        return self._beside("mlflow")

    @property
    def caches(self) -> Path:
        """The folder beside the store where libraries keep files, for an account that has no other."""
        return self._beside("cache")

    @property
    def tuning_trials(self) -> Path:
        """The trials of all searches."""
        return self.mlflow / "tuning.db"

    def backtest(self, first: date, last: date) -> Path:
        """Return the folder of a backtest of some days, in one beside the store."""
        return self._beside("backtest") / f"{first}--{last}"

    def _beside(self, ending: str) -> Path:
        root = self.root.resolve()
        return root.with_name(f"{root.name}.{ending}")

    def digests(self, path: Path) -> Path:
        """Return the file that says what a file or folder of the store is; above others for declarations."""
        parts = path.relative_to(self.root).parts
        inner = parts[1:] if parts[0] == DayTable.DECLARATIONS.folder and parts[1:] else parts
        return self.root.joinpath(".checks", *inner[:-1], f"{inner[-1]}.json")

    def outcome(self, day: date) -> Path:
        """Return the file with the outcome of the last run that scored a day."""
        return self.root / ".runs" / f"score-{day}.json"

    def outcomes(self) -> dict[date, Path]:
        """Return the outcomes of the last runs by the day that they scored, oldest first."""
        paths = sorted((self.root / ".runs").glob("score-*.json"))
        return {date.fromisoformat(path.stem.removeprefix("score-")): path for path in paths}

    def work(self, day: date, run: str) -> DayWork:
        """Return where a run, named by all that its results depend on, works on a day."""
        return DayWork(self.root / ".work" / f"score-{day}-{run[:16]}")

    def works(self, day: date) -> list[Path]:
        """Return the working folders of all runs on a day."""
        return list((self.root / ".work").glob(f"score-{day}-*"))

    def kept_sums(self, day: date, name: str) -> Path:
        """Return the folder for the sums of a scored day, named by all that they depend on."""
        return self.root / ".work" / f"{TODAY}-{day}-{name[:16]}"

    def all_kept_sums(self) -> dict[Path, date]:
        """Return all folders with the sums of a scored day, and their day."""
        start = len(TODAY) + 1
        paths = (self.root / ".work").glob(f"{TODAY}-*")
        return {path: date.fromisoformat(path.name[start : start + 10]) for path in paths}

    def cluster_marker(self, run: str) -> Path:
        """Return a folder by which the workers of a cluster show that they see this store."""
        return self.root / ".work" / f"cluster-{run}"

    def cluster_markers(self) -> list[Path]:
        """Return the markers that runs have left."""
        return list((self.root / ".work").glob("cluster-*"))

    def in_use(self, until: date) -> Path:
        """Return the file that names the models in use after the training until a day."""
        return self.root / "in_use" / f"{until}.json"

    def trainings(self) -> list[Path]:
        """Return the files of all trainings, oldest first."""
        return sorted((self.root / "in_use").glob("*.json"))


def bucket_name(number: int, count: int) -> str:
    """Return the file name of a bucket.

    >>> bucket_name(3, 8)
    'bucket-003-of-008.parquet'
    """
    return f"bucket-{number:03d}-of-{count:03d}.parquet"


def bucket_of(path: Path) -> tuple[int, int]:
    """Return the number of a bucket's file and how many buckets its day has.

    >>> bucket_of(Path("bucket-003-of-008.parquet"))
    (3, 8)

    Raises:
        ValueError: the file has no such name.
    """
    match = _BUCKET.fullmatch(path.name)
    if match is None:
        raise ValueError(f"expected a name like bucket-003-of-008.parquet, got {path.name}")
    return int(match[1]), int(match[2])


def issue_of(path: Path) -> tuple[int, str]:
    """Return the number of the issue and the `list_id` of an issued list's file."""
    issue, _, list_id = path.stem.partition("-")
    return int(issue), list_id


def key_file(name: str) -> str:
    """Return the file name of a key's table, in a history as in the sums of a bucket."""
    return f"key-{name}.parquet"


def price_file(name: str) -> str:
    """Return the file name of a price sketch, in a history as in the sums of a bucket."""
    return f"price-{name}.parquet"


def table_file(name: str) -> str:
    """Return the file name of a table in a folder of several, such as a risk's features."""
    return f"{name}.parquet"


def office_documents(folder: Path, name: str) -> tuple[Path, Path]:
    """Return the workbook and the page of an office's list in the folder of a day's lists."""
    return folder / f"{name}.xlsx", folder / f"{name}.html"

"""The working folder of a day that is being scored: what each step leaves there for the next."""

from __future__ import annotations

from pathlib import Path
from typing import Final

TODAY: Final = "today"


class DayWork:
    """The paths of the working folder `path`; a bucket is named by the file with its declarations.

    Attributes:
        path: the folder.
        eve: the history of the eve of the first day.
        unpacked: the history of the eve, unpacked for look-ups.
        lineage: what the history in `after` was folded from.
        after: the tables of the history at the close of the day.
        results: the sums by key of what was reported on the day, a file a key.
        corrections: what messages of the day change of earlier ones, a file a key or sketch.
        inspected: the lines that it was reported of.
        all_sums: the sums of all buckets.
        all_today: what all buckets need of the sums of the whole day.
        all_scores: the scores of all buckets.
        all_values: the values of all buckets.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.eve = path / "eve"
        self.unpacked = path / "unpacked"
        self.lineage = path / "lineage"
        self.after = path / "after"
        self.results = path / "results"
        self.corrections = path / "corrections"
        self.inspected = path / "inspected.parquet"
        self.all_sums = path / "sums"
        self.all_today = path / TODAY
        self.all_scores = path / "scores"
        self.all_values = path / "values"

    def folded(self, table: str, *, close: bool) -> Path:
        """A table of `after`; without `close`, the mark that buckets were given what they need of it."""
        return self.after / (table if close else f"{table}.given")

    def sums(self, bucket: Path) -> Path:
        """The sums by key of a bucket, a file a key."""
        return self.all_sums / bucket.stem

    def today(self, bucket: Path, key: str, piece: int) -> Path:
        """What a bucket needs of one piece of a key's sums of the whole day."""
        return self.all_today / bucket.stem / f"{key}@{piece:05d}.parquet"

    def todays(self, bucket: Path, key: str) -> list[Path]:
        """The pieces of `today`, in their order."""
        return sorted((self.all_today / bucket.stem).glob(f"{key}@*.parquet"))

    def scores(self, bucket: Path) -> Path:
        """The scores of a bucket's lines."""
        return self.all_scores / bucket.name

    def values(self, bucket: Path) -> Path:
        """What a finding in each of a bucket's lines is worth."""
        return self.all_values / bucket.name

    def added(self, bucket: Path) -> Path:
        """The scores of lines of a bucket that came later, if there are any."""
        return self.path / "added" / bucket.name

    def parcels(self, bucket: Path) -> Path:
        """The parcels of a bucket."""
        return self.path / "parcels" / f"{bucket.stem}.arrow"

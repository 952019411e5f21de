"""The working folder of a day that is being scored: what each step leaves there for the next."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

TODAY: Final = "today"


@dataclass(frozen=True)
class DayWork:
    """The paths of the working folder `path`; a bucket is named by the file with its declarations."""

    path: Path

    @property
    def eve(self) -> Path:
        """The history of the eve of the first day."""
        return self.path / "eve"

    @property
    def unpacked(self) -> Path:
        """The history of the eve, unpacked for look-ups."""
        return self.path / "unpacked"

    @property
    def lineage(self) -> Path:
        """What the history in `after` was folded from."""
        return self.path / "lineage"

    @property
    def after(self) -> Path:
        """The tables of the history at the close of the day."""
        return self.path / "after"

    def folded(self, table: str, *, close: bool) -> Path:
        """A table of `after`; without `close`, the mark that buckets were given what they need of it."""
        return self.after / (table if close else f"{table}.given")

    @property
    def results(self) -> Path:
        """The sums by key of what was reported on the day, a file a key."""
        return self.path / "results"

    @property
    def all_sums(self) -> Path:
        """The sums of all buckets."""
        return self.path / "sums"

    def sums(self, bucket: Path) -> Path:
        """The sums by key of a bucket, a file a key."""
        return self.all_sums / bucket.stem

    @property
    def all_today(self) -> Path:
        """What all buckets need of the sums of the whole day."""
        return self.path / TODAY

    def today(self, bucket: Path, key: str, piece: int) -> Path:
        """What a bucket needs of one piece of a key's sums of the whole day."""
        return self.all_today / bucket.stem / f"{key}@{piece:05d}.parquet"

    def todays(self, bucket: Path, key: str) -> list[Path]:
        """The pieces of `today`, in their order."""
        return sorted((self.all_today / bucket.stem).glob(f"{key}@*.parquet"))

    @property
    def all_scores(self) -> Path:
        """The scores of all buckets."""
        return self.path / "scores"

    def scores(self, bucket: Path) -> Path:
        """The scores of a bucket's lines."""
        return self.all_scores / bucket.name

    @property
    def all_values(self) -> Path:
        """The values of all buckets."""
        return self.path / "values"

    def values(self, bucket: Path) -> Path:
        """What a finding in each of a bucket's lines is worth."""
        return self.all_values / bucket.name

    def parcels(self, bucket: Path) -> Path:
        """The parcels of a bucket."""
        return self.path / "parcels" / f"{bucket.stem}.arrow"

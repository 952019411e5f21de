"""Several boosters that read one matrix, added up: each on its own columns, with its own weight.

A blend answers what a `Booster` answers. Its raw score is the sum of its members' log-odds, each times its
weight; a blend of one booster with the weight 1 has the bits of that booster.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.arrays.types import Float32Array, FloatArray
from models.trees.booster import Booster
from models.trees.matrix import Columns

_MEMBERS = "members.json"


@dataclass(frozen=True)
class Member:
    """A booster of a blend: its name, the weight of its log-odds in the sum, and the place in the blend's
    matrix of each column of its own, in ascending order.
    """

    name: str
    weight: float
    columns: tuple[int, ...]
    booster: Booster

    @property
    def places(self) -> tuple[int, ...]:
        """The columns of the blend's matrix that its score depends on, in ascending order."""
        return tuple(self.columns[place] for place in self.booster.places)

    def predict_columns(self, columns: Columns, *, threads: int) -> FloatArray:
        """Its own raw score (lines,) from columns of the blend's matrix."""
        own = Columns(
            columns.values, np.array(self.booster.places, dtype=np.int64), columns.rows(self.places)
        )
        return self.booster.predict_columns(own, threads=threads)


@dataclass(frozen=True)
class Blend:
    """The members, of which there is at least one, and how many columns the matrix has."""

    members: tuple[Member, ...]
    columns: int

    @classmethod
    def of(cls, booster: Booster, columns: int) -> Blend:
        """A booster that reads all `columns` of its matrix, alone."""
        return cls((Member("own", 1.0, tuple(range(columns)), booster),), columns)

    @property
    def places(self) -> tuple[int, ...]:
        """The columns of the matrix that a raw score depends on, in ascending order."""
        return tuple(sorted({place for member in self.members for place in member.places}))

    @property
    def trees(self) -> int:
        """How many trees a raw score sums, those of all members."""
        return sum(member.booster.rounds for member in self.members)

    def predict_raw(self, values: Float32Array, *, threads: int = 1) -> FloatArray:
        """Raw log-odds a line (lines,) for matrix values (lines, columns)."""
        places = np.array(self.places, dtype=np.int64)
        columns = Columns(np.ascontiguousarray(values[:, places].T), places)
        return self.predict_columns(columns, threads=threads)

    def predict_columns(self, columns: Columns, *, threads: int = 1) -> FloatArray:
        """`predict_raw` where only columns are at hand, which must be those of `places` or more of them."""
        total = self._weighted(self.members[0], columns, threads)
        for member in self.members[1:]:
            total += self._weighted(member, columns, threads)
        return total

    @staticmethod
    def _weighted(member: Member, columns: Columns, threads: int) -> FloatArray:
        return member.weight * member.predict_columns(columns, threads=threads)

    def contributions(self, values: Float32Array, *, threads: int = 1) -> FloatArray:
        """What each column adds to the raw score, (lines, columns + 1); the last is the mean of all lines."""
        added = np.zeros((len(values), self.columns + 1), dtype=np.float64)
        for member in self.members:
            parts = member.weight * member.booster.contributions(
                values[:, list(member.columns)], threads=threads
            )
            added[:, list(member.columns)] += parts[:, :-1]
            added[:, -1] += parts[:, -1]
        return added

    def gain(self) -> FloatArray:
        """Share of the loss taken away by the splits on each column, (columns,), by the members' weights."""
        gain = np.zeros(self.columns, dtype=np.float64)
        for member in self.members:
            own = member.booster.gain()
            gain[list(member.columns)] += member.weight * own / (own.sum() or 1.0)
        return gain

    def save(self, directory: Path) -> None:
        """Write each member's trees, and what the members are."""
        stored = []
        for number, member in enumerate(self.members):
            file = "booster.txt" if number == 0 else f"booster_{member.name}.txt"
            member.booster.save(directory / file)
            stored.append(
                {"name": member.name, "weight": member.weight, "file": file, "columns": list(member.columns)}
            )
        content = json.dumps({"columns": self.columns, "members": stored}, sort_keys=True)
        (directory / _MEMBERS).write_text(content + "\n", encoding="utf-8")

    @classmethod
    def load(cls, directory: Path, columns: int) -> Blend:
        """Read what `save` wrote, or the one booster of a model that knows no members."""
        path = directory / _MEMBERS
        if not path.exists():
            return cls.of(Booster.load(directory / "booster.txt"), columns)
        stored = json.loads(path.read_text(encoding="utf-8"))
        members = (
            Member(
                str(each["name"]),
                float(each["weight"]),
                tuple(map(int, each["columns"])),
                Booster.load(directory / each["file"]),
            )
            for each in stored["members"]
        )
        return cls(tuple(members), int(stored["columns"]))

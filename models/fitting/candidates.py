"""The candidates of a risk: its own trees, and beside them those with other columns and other parts.

What helps depends on the data: few leaves and monotone hit rates where findings are a handful, plain
categories and many leaves where goods tell. So a fit does not settle on one of them beforehand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import polars as pl

from configs.errors import ConfigurationError
from configs.messages import nearest
from configs.schema.candidate import CandidateConfig
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.types import BoolArray, Float32Array, FloatArray
from models.fitting.cross_fitted_rates import RateKeys, cross_fitted
from models.fitting.inspection_weights import training_weights
from models.risk.encoder import Encoder, Learned
from models.trees.blend import Member
from models.trees.booster import DEFAULTS, Booster, Parameter, TreeSettings, train_booster
from models.trees.linear_start import LinearStart, fit_start, says_how_often
from models.trees.matrix import Matrix

OWN = "own"
_FINDINGS_OF_A_LEAF = 20
LEAST_LEAVES = 3


@dataclass(frozen=True)
class Candidate:
    """A name, the risk with the candidate's parts and parameters, and patterns of its columns (None: all).

    Trees with `least_leaves` have fewer leaves where findings are few. Of the risk's own, which are `held`
    back, as many are kept as lower the loss on later lines as it is; others may be too sure of themselves.
    """

    name: str
    risk: RiskConfig
    columns: tuple[str, ...] | None = None
    least_leaves: int | None = None
    held: bool = False

    def places(self, names: Sequence[str]) -> tuple[int, ...]:
        """The places of its columns among those of the matrix, in ascending order."""
        if self.columns is None:
            return tuple(range(len(names)))
        return tuple(
            place
            for place, name in enumerate(names)
            if any(fnmatchcase(name, pattern) for pattern in self.columns)
        )


@dataclass(frozen=True)
class Grown:
    """The trees of a candidate, all its rounds of them, the places of its columns in the matrix, and the loss
    on later lines by rounds (rounds,), empty where there were none.
    """

    candidate: Candidate
    places: tuple[int, ...]
    booster: Booster
    curve: FloatArray

    def raw(self, values: Float32Array, rounds: int, threads: int) -> FloatArray:
        """Log-odds of lines (lines,) with the first `rounds` trees, from the matrix (lines, columns)."""
        return self.booster.predict_raw(values[:, list(self.places)], threads=threads, rounds=rounds)

    def member(self, weight: float, rounds: int) -> Member:
        """The first `rounds` trees as a member of a blend."""
        return Member(self.candidate.name, weight, self.places, self.booster.upto(rounds))


@dataclass(frozen=True)
class TrainingLines:
    """What all candidates learn from: the lines with a label, which of them are findings (lines,), and their
    numbers, with hit rates as of each line's day and, for those that want them, of other days.
    """

    frame: pl.DataFrame
    found: BoolArray
    matrix: Matrix
    cross_fitted: Matrix

    @classmethod
    def of(
        cls, frame: pl.DataFrame, candidates: Sequence[Candidate], encoder: Encoder, learned: Learned,
        keys: RateKeys | None,
    ) -> TrainingLines:  # fmt: skip
        """The numbers of lines, given what smaller models that have not seen a line say of it."""
        matrix = encoder.matrix(frame, learned)
        wanted = [each.risk for each in candidates if each.risk.cross_fitted_rates]
        other = encoder.matrix(cross_fitted(frame, wanted[0], keys), learned) if wanted else matrix
        return cls(frame, frame[candidates[0].risk.label].to_numpy(), matrix, other)


def candidates_of(risk: RiskConfig, training: TrainingConfig) -> tuple[Candidate, ...]:
    """A risk's own trees, then the candidates that it takes part in, in the order of the configuration.

    Raises:
        ConfigurationError: the risk names a candidate that there is none of.
    """
    known = {each.name: each for each in training.candidates}
    names = tuple(known) if risk.candidates == "all" else risk.candidates
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"risk {risk.name}: candidates: there is no {name!r} in pipeline.yaml under "
                f"training.candidates.{nearest(name, known)} There are: {', '.join(known) or 'none'}"
            )
    return (
        Candidate(OWN, risk, least_leaves=LEAST_LEAVES, held=True),
        *(_candidate(known[name], risk) for name in names),
    )


def _candidate(config: CandidateConfig, risk: RiskConfig) -> Candidate:
    changed = {
        "linear_start": config.linear_start,
        "cross_fitted_rates": config.cross_fitted_rates,
        "monotone_hit_rates": config.monotone_hit_rates,
        "model": config.model,
        "rounds": config.rounds,
    }
    columns = None if config.columns == "all" else config.columns
    return Candidate(config.name, risk.model_copy(update=changed), columns, config.least_leaves)


def grow(
    candidate: Candidate,
    lines: TrainingLines,
    training: TrainingConfig,
    *,
    rounds: int,
    later: tuple[Matrix, BoolArray] | None = None,
) -> Grown:
    """Grow so many of a candidate's trees.

    With `later` lines and which of them are findings the loss on them is noted.
    """
    risk = candidate.risk
    whole = lines.cross_fitted if risk.cross_fitted_rates else lines.matrix
    places = candidate.places(whole.columns)
    matrix = whole.some(places)
    trained = train_booster(
        matrix,
        lines.found,
        TreeSettings(
            rounds=rounds,
            seed=training.seed,
            threads=training.threads,
            parameters=tree_parameters(
                risk, int(lines.found.sum()), matrix.columns, least_leaves=candidate.least_leaves
            ),
        ),
        validation=None if later is None else (later[0].some(places), later[1]),
        start=start_of(risk, matrix, lines.found),
        weights=training_weights(risk, lines.frame),
    )
    return Grown(candidate, places, trained.booster, np.empty(0) if trained.curve is None else trained.curve)


def start_of(risk: RiskConfig, matrix: Matrix, found: BoolArray) -> LinearStart | None:
    """Where the risk's trees start, None at the share of findings."""
    return fit_start(matrix.values, matrix.columns, found) if risk.linear_start else None


def tree_parameters(
    risk: RiskConfig, findings: int, columns: Sequence[str], *, least_leaves: int | None = LEAST_LEAVES
) -> dict[str, Parameter]:
    """The risk's parameters, with trees of no more than one leaf for every 20 findings, and at least so many;
    with as many as the parameters say where that is None.

    A risk may have twenty findings or ten thousand, and what is configured is meant for many. Where the risk
    has `monotone_hit_rates`, no tree over these `columns` of a matrix says less where past findings or the
    text say more.
    """
    limited = dict(risk.model)
    if least_leaves is not None:
        leaves = int(risk.model.get("num_leaves", DEFAULTS["num_leaves"]))
        limited["num_leaves"] = min(leaves, max(least_leaves, findings // _FINDINGS_OF_A_LEAF))
    if not risk.monotone_hit_rates:
        return limited
    rising = ",".join(str(int(says_how_often(name))) for name in columns)
    return {**limited, "monotone_constraints": rising, "monotone_constraints_method": "advanced"}

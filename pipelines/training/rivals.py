"""Plain rivals of a new model for its gate, on the lines that judge it.

They learn from the lines that the judged model learned from. The best single key is chosen on these too; its
rate of a later line knows what was reported before the line's day, as the model's hit rates do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig
from models.fitting.training import FittedRisk, known_lines
from models.judging.comparison import (
    BEST_KEY,
    CONTENDERS,
    LIGHTGBM,
    MODEL,
    Contender,
    Measure,
    RivalComparison,
    compare,
)
from models.judging.gate_checks import comparing_metric
from models.judging.rivals import lightgbm_as_it_comes
from models.search.single_key import SingleKey, best_single_key, single_key_rates
from pipelines.training.inspected import inspected_lines

_PAIRS_OF = 8


@dataclass(frozen=True)
class GateRivals:
    """The comparison of a model with plain rivals, and which single key was the best; None where too little
    was known to choose one.
    """

    comparison: RivalComparison
    key: SingleKey | None

    @property
    def parameters(self) -> dict[str, object]:
        """What names the key, for a run."""
        key = self.key
        return {} if key is None else {"best_key": key.words, "best_key_smoothing": key.smoothing}

    @property
    def metrics(self) -> dict[str, float]:
        """Names and numbers beside those of the evaluation: `lightgbm.auc`, `less.best_key.auc_low`."""
        own = ("lines", "findings", f"{MODEL}.")
        return {
            name: value for name, value in self.comparison.as_metrics().items() if not name.startswith(own)
        }


def rivals_of(
    fitted: FittedRisk, frame: pl.DataFrame, risk: RiskConfig, config: PipelineConfig
) -> GateRivals | None:
    """Let LightGBM as it comes and the best single key score the evaluation's lines.

    `frame` is that of the training. None where too few findings judge the model.
    """
    evaluation, training, gate = fitted.evaluation, config.training, config.gate
    if fitted.split is None or evaluation.findings < gate.least_findings:
        return None
    lines = known_lines(frame, risk, training)
    past, later = (lines.filter(mask(lines)) for mask in (fitted.split.train_mask, fitted.split.test_mask))
    columns = list(fitted.model.encoder.columns.names)
    plain = lightgbm_as_it_comes(
        past.select(columns), past[risk.label].to_numpy(), later.select(columns),
        seed=training.seed, threads=training.threads,
    )  # fmt: skip
    every, before, judged = (inspected_lines(_as_inspected(part, risk)) for part in (lines, past, later))
    key = best_single_key(before.varying(), moving=True, pairs_of=_PAIRS_OF)
    metric = comparing_metric(gate, evaluation.metrics)
    measures = [
        Measure(each, (each.name,))
        for each in evaluation.metrics
        if (each.judges == "ranking" and each.brief) or each is metric
    ]
    comparison = compare(
        later,
        later[risk.label].to_numpy(),
        {
            MODEL: Contender.of(evaluation.lines["probability"].to_numpy()),
            LIGHTGBM: Contender.of(plain),
            BEST_KEY: None if key is None else Contender.of(single_key_rates(every, judged, key)),
        },
        least_findings=gate.least_findings,
        seed=training.seed,
        measures=measures,
    )
    called = CONTENDERS if key is None else {**CONTENDERS, BEST_KEY: f"the best key ({key.words})"}
    return GateRivals(replace(comparison, called=called), key)


def _as_inspected(lines: pl.DataFrame, risk: RiskConfig) -> pl.DataFrame:
    """Lines of a training as `inspected_lines` takes them."""
    return lines.with_columns(pl.col(risk.label).alias("found"), pl.col("reported_on").alias("known_on"))

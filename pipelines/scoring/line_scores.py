"""Probabilities and values of lines from their features, by the champions of their risks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import polars as pl

from configs.schema.risk import RiskConfig
from features.arrays.types import FloatArray
from features.assemble import FeatureSet
from features.contract.declarations import LINE_KEY
from features.novelty import novelty
from models.goods.goods_model import GoodsScores
from models.risk.risk_model import RiskModel
from models.text.declared import DeclaredTexts
from models.text.score import text_scores
from pipelines.store.files import read_whole

NOVELTY, GOODS = "_novelty", "_goods"
"""Columns beside the values of a line: how unlike inspected lines it is, and a hash of the goods' name."""


@dataclass(frozen=True)
class Scored:
    """The scores and values of some lines, each a row.

    `scores`: declaration_id, line_no, one Float64 column per configured risk, null where it has no champion.
    `values`: declaration_id, line_no, one Float64 column per configured risk: CNY that a finding is worth;
    and `NOVELTY` and `GOODS`.
    """

    scores: pl.DataFrame
    values: pl.DataFrame

    @classmethod
    def read(cls, scores: Path, values: Path) -> Scored:
        """Those in the files of a bucket."""
        return cls(*(read_whole(file) for file in (scores, values)))


def scored(
    lines: pl.DataFrame,
    features: FeatureSet,
    risks: Mapping[str, RiskConfig],
    champions: Sequence[tuple[str, Path]],
) -> Scored:
    """The scores and values of lines from `features.prepare.prepare_lines`, for every configured risk.

    `champions` are pairs of a risk's name and the folder of its model; `features` are for their risks.
    """
    keys = lines.select(LINE_KEY)
    declared = DeclaredTexts(lines)
    texts = scores_of_text(champions, declared)
    nothing = pl.Series([None], dtype=pl.Float64).new_from_index(0, lines.height)
    probabilities, values = dict.fromkeys(risks, nothing), dict.fromkeys(risks, nothing)
    frames = {name: features.for_risk(risks[name]) for name, _ in champions}
    goods = scores_of_goods(champions, frames, declared)
    for name, folder in champions:
        scores = champion_model(folder).score(frames[name], text_score=texts.get(name), goods=goods.get(name))
        probabilities[name], values[name] = pl.Series(scores.probability), pl.Series(scores.value_cny)
    beside = [
        novelty(frames.values(), lines.height).alias(NOVELTY),
        pl.Series(GOODS, declared.names).replace(0, None),
    ]
    return Scored(
        keys.with_columns(column.alias(name) for name, column in probabilities.items()),
        keys.with_columns(*(column.alias(name) for name, column in values.items()), *beside),
    )


def scores_of_text(champions: Sequence[tuple[str, Path]], declared: DeclaredTexts) -> dict[str, FloatArray]:
    """The text score of each line (lines,), by risk whose champion reads texts.

    All champions at once, because reading a text costs more than scoring it.
    """
    models = {risk: champion_model(folder).encoder.text for risk, folder in champions}
    reading = {risk: model for risk, model in models.items() if model is not None}
    return dict(zip(reading, text_scores(list(reading.values()), declared), strict=True))


def scores_of_goods(
    champions: Sequence[tuple[str, Path]], frames: Mapping[str, pl.DataFrame], declared: DeclaredTexts
) -> dict[str, GoodsScores]:
    """What the goods model of each risk's champion says of each line, by risk; the same model is asked once.

    What it reads is the same in the frames of all risks; `declared` are their texts.
    """
    said: dict[str, GoodsScores] = {}
    by_model: dict[str, GoodsScores] = {}
    for risk, folder in champions:
        model = champion_model(folder).encoder.goods
        if model is not None:
            if model.fingerprint not in by_model:
                by_model[model.fingerprint] = model.score(frames[risk], declared)
            said[risk] = by_model[model.fingerprint]
    return said


@lru_cache(maxsize=16)
def champion_model(folder: Path) -> RiskModel:
    """The model of a folder, read once a process."""
    return RiskModel.load(folder)

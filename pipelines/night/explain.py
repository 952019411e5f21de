"""What the lists say of each listed line: its goods and prices, and three reasons in every language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from configs.language import language
from configs.language_codes import LanguageCode
from configs.parcel_ways import ParcelWay, way_of
from configs.schema.capacity import CapacityConfig
from features.arrays.types import FloatArray
from features.contract.declarations import LINE_KEY
from features.words.reasons import reasons
from features.words.telling import Telling
from models.estimates.parcel_chances import parcel_chances
from models.goods.columns import headings_told
from models.goods.goods_model import GoodsScores
from models.text.declared import DeclaredTexts
from pipelines.lists.chances import LEAST_TOLD
from pipelines.lists.fields import REASON_COLUMNS, columns_of, fields_of, in_language
from pipelines.lists.lines import LINES, LINES_TYPE
from pipelines.night.as_declared import SHOWN, names_of, shown_lines, whole_parcels
from pipelines.night.case_facts import FACT_SCHEMA, case_facts
from pipelines.night.one_price import agreeing, one_price, priced_reasons, untold, with_price
from pipelines.scoring.bucket import DayTask, Workspace, workspace
from pipelines.scoring.line_scores import champion_model, scores_of_goods, scores_of_text
from pipelines.store.files import read_whole
from pipelines.store.store import Store

_REASONS = list(REASON_COLUMNS)
_CHANCES: dict[str, pl.DataType] = {
    "declaration_id": pl.String(),
    "risk": pl.String(),
    "line_no": pl.Int32(),
    "probability": pl.Float64(),
}


@dataclass(frozen=True)
class ExplainTask:
    """The listed lines of one bucket (declaration_id, line_no, risk and selection), and its scores."""

    of: DayTask
    file: Path
    scores: Path
    listed: pl.DataFrame


@dataclass(frozen=True)
class Explained:
    """What the lists show of listed lines, and all chances of their parcels.

    Attributes:
        shown: a row a listed line: the key, what the declaration says of the goods, prices in CNY, all
            lines of the parcel, and up to three reasons in every language of the documents.
        chances: a row a parcel and risk: `declaration_id`, `risk`, `line_no`, `probability`, and reasons in
            the same columns, null where the chance is small.
        facts: a row a parcel, `pipelines.night.case_facts.FACT_SCHEMA`.
    """

    shown: pl.DataFrame
    chances: pl.DataFrame
    facts: pl.DataFrame


def explain(task: ExplainTask) -> Explained:
    """Explain the listed lines of a bucket; only their parcels are prepared and scored again."""
    space = workspace(task.of)
    listed = task.listed.select(*LINE_KEY, "risk")
    chances = _chances(task)
    likely = chances.filter(pl.col("probability") >= LEAST_TOLD)
    # A listed risk is explained by the line that raised its value.
    likely = likely.join(listed, on=["declaration_id", "risk"], how="anti").select(listed.columns)
    asked = pl.concat([listed, likely])
    parcels = space.lines(task.file, of=task.listed)
    lines = parcels.join(asked, on=LINE_KEY, how="semi", maintain_order="left")
    features = space.features(lines, task.file)
    frames = {risk: features.for_risk(space.settings.risks[risk]) for risk, _ in task.of.champions}
    declared = DeclaredTexts(lines)
    texts = scores_of_text(task.of.champions, declared)
    goods = scores_of_goods(task.of.champions, frames, declared)
    shown = shown_lines(space, lines).with_columns(
        _expected_price(space, frames, texts, goods), _likely_headings(space, lines["hs_code"], goods)
    )
    columns = reasons_by_language(space.settings.capacity.languages)
    spoken = {code: language(code, space.settings.overlay) for code in columns}
    countries = {code: names_of(space, "countries", "iso", code) for code in columns}
    ways = _ways(lines)
    parts = [untold(listed, columns, spoken)]
    for risk, folder in task.of.champions:
        wanted = asked.filter(risk=risk).select(LINE_KEY)
        rows = lines.select(LINE_KEY).with_row_index("row").join(wanted, on=LINE_KEY, how="semi")["row"]
        if rows.is_empty():
            continue
        model, config = champion_model(folder), space.settings.risks[risk]
        chosen = frames[risk][rows]
        text = texts[risk][rows.to_numpy()] if risk in texts else None
        of_goods = goods[risk][rows.to_numpy()] if risk in goods else None
        learned = model.learned(chosen, text_score=text, goods=of_goods)
        worded = pl.concat([chosen, model.model_columns(chosen, learned)], how="horizontal")
        pushes = model.contributions_in_heading(chosen, learned)
        limit, of_rows = space.reference.order_limit_cny, [ways[row] for row in rows]
        telling = {code: Telling(words, of_rows, countries[code], limit) for code, words in spoken.items()}
        sentences = [
            reasons(worded, pushes, config, len(_REASONS), telling[code]).rename(
                dict(zip(_REASONS, of_language, strict=True))
            )
            for code, of_language in columns.items()
        ]
        # Which price they speak of does not depend on the language.
        further = [each.select(names) for each, names in zip(sentences, columns.values(), strict=True)][1:]
        key = lines[rows].select(*LINE_KEY, pl.lit(risk).alias("risk"))
        priced = priced_reasons(worded, sentences[0], spoken)
        parts.append(pl.concat([key, priced, *further], how="horizontal"))
    told = pl.concat(parts)
    prices = one_price(told, listed)
    names_only = [name for of_language in columns.values() for name in of_language]
    shown = with_price(shown.join(listed, on=LINE_KEY, how="inner", maintain_order="left"), prices, spoken)
    shown = shown.join(
        told.select(*listed.columns, *names_only), on=listed.columns, how="left", maintain_order="left"
    ).drop("risk")
    shown = shown.join(whole_parcels(space, parcels), on="declaration_id", how="left", maintain_order="left")
    worded_chances = chances_with_reasons(chances, agreeing(told, prices, columns, spoken))
    return Explained(shown, worded_chances, case_facts(space, task.file, parcels))


def unexplained(store: Store, capacity: CapacityConfig) -> Explained:
    """The tables of `explain` without rows, for a day on which no bucket could be explained."""
    schema = store.declaration_schema()
    columns = reasons_by_language(capacity.languages)
    told: dict[str, pl.DataType] = {name: pl.String() for names in columns.values() for name in names}
    shown = {name: schema[name] for name in (*LINE_KEY, *SHOWN)} | columns_of(fields_of("night"))
    shown |= {LINES: LINES_TYPE}
    frames = (shown | told, _CHANCES | told, FACT_SCHEMA)
    return Explained(*(pl.DataFrame(schema=schema) for schema in frames))


def _chances(task: ExplainTask) -> pl.DataFrame:
    scores = read_whole(task.scores).join(task.listed, on="declaration_id", how="semi")
    risks = [risk for risk, _ in task.of.champions]
    return parcel_chances(scores, risks) if risks else pl.DataFrame(schema=_CHANCES)


def chances_with_reasons(chances: pl.DataFrame, told: pl.DataFrame) -> pl.DataFrame:
    """The chances with what is told of a line of the parcel for the risk: there is one at most."""
    by_parcel = told.rename({"line_no": "_line"})
    joined = chances.join(by_parcel, on=["declaration_id", "risk"], how="left", maintain_order="left")
    line = pl.coalesce(pl.col("_line").cast(pl.Int32), "line_no").alias("line_no")
    return joined.with_columns(line).drop("_line")


def _expected_price(
    space: Workspace,
    frames: Mapping[str, pl.DataFrame],
    texts: Mapping[str, FloatArray],
    goods: Mapping[str, GoodsScores],
) -> pl.Series:
    """The fair value of each whole line in CNY (lines,), from the first model that has one."""
    for risk, folder in space.task.champions:
        model = champion_model(folder)
        if model.encoder.fair_value is None:
            continue
        learned = model.learned(frames[risk], text_score=texts.get(risk), goods=goods.get(risk))
        expected = model.expected_total_cny(frames[risk], learned)
        if expected is not None:
            return pl.Series("expected_price_cny", expected).fill_nan(None)
    lines = next(iter(frames.values())).height
    return pl.Series("expected_price_cny", [None], dtype=pl.Float64).new_from_index(0, lines)


def _likely_headings(space: Workspace, declared: pl.Series, goods: Mapping[str, GoodsScores]) -> pl.Series:
    """Under which other headings goods of such words go (lines,), as the first model with goods says."""
    for risk, folder in space.task.champions:
        model = champion_model(folder).encoder.goods
        if model is not None:
            return headings_told(model, goods[risk], declared).alias("likely_headings")
    return pl.Series("likely_headings", [None], dtype=pl.String).new_from_index(0, len(declared))


def _ways(lines: pl.DataFrame) -> list[ParcelWay]:
    """The way of each line's parcel."""
    return [way_of(*each) for each in lines.select("direction", "trade_mode").iter_rows()]


def reasons_by_language(languages: Sequence[LanguageCode]) -> dict[LanguageCode, list[str]]:
    """The columns of the reasons in each language; those of the first, the default, have the plain names."""
    default, *others = languages
    return {default: _REASONS} | {code: [in_language(name, code) for name in _REASONS] for code in others}

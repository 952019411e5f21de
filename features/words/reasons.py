"""Why a line stands on a list: sentences with the line's own figures.

The words are a risk's configuration (`reasons` in its file); which of them are shown is decided by what each
block of features contributed to the line's score.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from configs.errors import ConfigurationError
from configs.language import ENGLISH, Language
from configs.messages import nearest
from configs.schema.reasons import FOUND_SHARE, ReasonTemplate
from configs.schema.risk import RiskConfig
from features.words.reference_price import price_source
from features.words.telling import IN_ENGLISH, Telling

MAX_REASON_CHARACTERS = 300
PRICE_SOURCE, PRICE_PLACE = "price_source", "price_place"
NOTHING_STANDS_OUT = "ranked by the combination of all signals; no single one stands out"
ONE_WAS_DRAWN = (
    "random check: {drawn} of the {parcels} parcels of this office and trade mode was drawn; check everything"
)
SEVERAL_WERE_DRAWN = (
    "random check: {drawn} of the {parcels} parcels of this office and trade mode were drawn; "
    "check everything"
)

# Of a normal distribution, for an interval of 95%.
_Z = 1.96

LineValues = Mapping[str, Any]


@dataclass(frozen=True)
class _Candidate:
    """A template of a block, the rows for which it is true, and how strong a sign its rate is (rows,)."""

    template: ReasonTemplate
    holds: pl.Series
    strength: pl.Series


def reasons(
    frame: pl.DataFrame,
    contributions: pl.DataFrame,
    risk: RiskConfig,
    count: int = 3,
    told: Telling = IN_ENGLISH,
) -> pl.DataFrame:
    """Columns `reason_1` … `reason_<count>` (String), one row for each row of `frame` and in its order;
    `PRICE_SOURCE`, the usual price of which they speak (see `price_source`), and `PRICE_PLACE`, the number of
    the sentence that does, null where none does.

    `frame` has the assembled features, and what a model adds under the prefix `model__`, of the lines to
    explain; `contributions` one Float64 column a block, positive where the block raised the score.

    Blocks that raised the score speak, in the order of their contribution (by name among equals). A block
    says the first of its templates whose columns are all known, whose condition holds and whose topic nobody
    spoke of; of those with a rate the strongest is first. No reason is repeated. Fewer reasons that tell
    something are better than three: the rest is null. Where there is none, one plain sentence says so. Words
    that the catalogue of the language lacks are shown as they are configured.

    Raises:
        ValueError: the two frames differ in length.

    >>> from configs.schema.risk import ConstantValue, Title
    >>> risk = RiskConfig(name="demo", label="demo", title=Title(en="Demo"),
    ...     finding_value=ConstantValue(kind="constant", cny=100.0),
    ...     reasons={"price": [{"text": "CNY {price__cny_per_kg:,.1f}/kg declared"}]})
    >>> frame = pl.DataFrame({"price__cny_per_kg": [12.0, None]})
    >>> reasons(frame, pl.DataFrame({"price": [0.7, -0.1]}), risk, count=1)["reason_1"].to_list()
    ['CNY 12.0/kg declared', 'ranked by the combination of all signals; no single one stands out']
    """
    if frame.height != contributions.height:
        raise ValueError(f"{frame.height} lines, but contributions of {contributions.height}")
    names = [f"reason_{number}" for number in range(1, count + 1)]
    blocks = sorted(contributions.columns)
    known = frame.with_columns(pl.col(pl.Float64).fill_nan(None))
    candidates = _candidates(known, {block: risk.reasons_for(block, told.language) for block in blocks})
    mentioned = _mentioned(known, candidates).iter_rows(named=True)
    added = contributions.select(pl.col(blocks).fill_nan(0.0).fill_null(0.0)).iter_rows(named=True)
    sentences = [
        _row_reasons(row, values, pushes, candidates, count, replace(told, language=language))
        for row, (values, pushes, language) in enumerate(
            zip(mentioned, added, told.languages(frame.height), strict=True)
        )
    ]
    schema = dict.fromkeys((*names, PRICE_SOURCE), pl.String()) | {PRICE_PLACE: pl.Int32()}
    return pl.DataFrame(sentences, schema=schema, orient="row")


def check_reasons(risk: RiskConfig, schema: Mapping[str, pl.DataType | type[pl.DataType]]) -> None:
    """Tries every template of the risk on a made-up line with the columns of `schema`.

    Words that all risks share may speak of a combination that a configuration leaves out: they are passed
    over.

    Raises:
        ConfigurationError: a column is unknown, a format does not fit the type of its column, or `when` is
            not a condition; the message names risk, block and template.
    """
    sample = pl.DataFrame(
        {name: ["text"] if dtype == pl.String else [1.0] for name, dtype in schema.items()},
        schema={name: pl.String if dtype == pl.String else pl.Float64 for name, dtype in schema.items()},
    )
    for block, templates in risk.reasons.items():
        for number, template in enumerate(templates, start=1):
            where = f"risks/{risk.name}.yaml: reasons.{block}, entry {number}"
            wanted = [*template.columns, *template.conditional_columns]
            if block in risk.shared_reasons and not set(wanted) <= set(schema):
                continue
            for column in wanted:
                if column not in schema:
                    raise ConfigurationError(
                        f"{where}: expected a feature column, came {column!r}.{nearest(column, schema)}"
                    )
            try:
                ENGLISH.words(template.text).format_map(sample.row(0, named=True))
                condition = sample.select(holds=pl.sql_expr(template.when or "TRUE")).schema["holds"]
            except (ValueError, pl.exceptions.PolarsError) as error:
                raise ConfigurationError(
                    f"{where}: does not fit the type of its columns ({error})"
                ) from error
            if condition != pl.Boolean:
                raise ConfigurationError(f"{where}: expected a condition in 'when', came {template.when!r}")


def random_check_reason(drawn: int, parcels: int, language: Language = ENGLISH) -> str:
    """The first reason of a parcel that was drawn at random.

    >>> random_check_reason(1, 250)
    'random check: 1 of the 250 parcels of this office and trade mode was drawn; check everything'
    """
    message = ONE_WAS_DRAWN if drawn == 1 else SEVERAL_WERE_DRAWN
    return language(message, drawn=language.number(drawn), parcels=language.number(parcels))


def _candidates(
    known: pl.DataFrame, templates: Mapping[str, Sequence[ReasonTemplate]]
) -> dict[str, list[_Candidate]]:
    """By block its templates whose columns this source brings; one that is absent is as good as null."""
    given = set(known.columns)
    usable = [
        (block, template)
        for block, listed in templates.items()
        for template in listed
        if given.issuperset([*template.columns, *template.conditional_columns])
    ]
    # The first column gives a constant condition the length of the frame. All at once: a plan takes its time.
    asked = {f"holds_{place}": _holds(template) for place, (_, template) in enumerate(usable)}
    asked |= {f"strength_{place}": _strength(template) for place, (_, template) in enumerate(usable)}
    said = known.select(rows=pl.int_range(pl.len()), **asked)
    by_block: dict[str, list[_Candidate]] = {block: [] for block in templates}
    for place, (block, template) in enumerate(usable):
        by_block[block].append(_Candidate(template, said[f"holds_{place}"], said[f"strength_{place}"]))
    return by_block


def _holds(template: ReasonTemplate) -> pl.Expr:
    if template.rate is None:
        return template.condition
    return template.condition & (_strength(template) > pl.col(FOUND_SHARE)).fill_null(False)


def _strength(template: ReasonTemplate) -> pl.Expr:
    """The lower end of the interval of its rate (95%), 0 without one.

    Source: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference".
    """
    if template.rate is None:
        return pl.lit(0.0)
    found, lines = map(pl.col, template.rate)
    share, spread = found / lines, _Z**2 / lines
    middle = share + spread / 2.0
    low = (middle - (spread * (share * (1.0 - share) + spread / 4.0)).sqrt()) / (1.0 + spread)
    return low.fill_nan(0.0)


def _mentioned(known: pl.DataFrame, candidates: Mapping[str, list[_Candidate]]) -> pl.DataFrame:
    """Only the columns that a sentence can name: a frame of 200 features is slow to walk by rows."""
    columns = {column for block in candidates.values() for each in block for column in each.template.columns}
    return known.select(pl.int_range(pl.len()).alias("row"), *sorted(columns))


def _row_reasons(
    row: int,
    values: LineValues,
    pushes: Mapping[str, float],
    candidates: Mapping[str, list[_Candidate]],
    count: int,
    told: Telling,
) -> list[str | int | None]:
    sentences: list[str | int | None] = []
    source, place = None, None
    topics: set[str] = set()
    heard = [block for block in pushes if pushes[block] > 0.0]
    for block in sorted(heard, key=lambda name: (-pushes[name], name)):
        if len(sentences) == count:
            break
        holding = [each for each in candidates[block] if each.holds[row]]
        for candidate in sorted(holding, key=lambda each: -each.strength[row]):
            topic = candidate.template.topic
            sentence = _sentence(candidate.template, values, told)
            if topic in topics or sentence in sentences:
                continue
            sentences.append(sentence)
            if source is None and (source := price_source(candidate.template.columns)) is not None:
                place = len(sentences)
            topics |= set() if topic is None else {topic}
            break
    if not sentences:
        sentences.append(told.language(NOTHING_STANDS_OUT))
    return [*sentences, *[None] * (count - len(sentences)), source, place]


def _sentence(template: ReasonTemplate, values: LineValues, told: Telling) -> str:
    shown = {column: told.shown(column, values[column]) for column in template.columns}
    sentence = told.language.words(template.text).format_map(told.figures | shown)
    if len(sentence) <= MAX_REASON_CHARACTERS:
        return sentence
    return sentence[: MAX_REASON_CHARACTERS - 1] + "…"

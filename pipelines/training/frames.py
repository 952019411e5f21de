"""The frames that models learn from: features of every inspected line, as they were on its day.

The fold over days is replayed from the first one. On day D the features of D's inspected lines are built with
the history of its eve; then D's lines and the results reported on D enter the history.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from configs.errors import DataError
from configs.schema.pipeline import TrainingConfig
from configs.schema.risk import RiskConfig
from features.arrays.hashing import drawn_lines
from features.assemble import FeatureSet, assemble
from features.contract.declarations import LINE_KEY
from features.history.results import known_labels, with_results_of
from features.history.state import History
from features.history.view import DayContext
from models.fitting.bounds import STANDS_FOR
from models.goods.columns import with_goods_columns
from models.goods.goods_model import GoodsModel
from pipelines.history.chronicle import Chronicle
from pipelines.training.goods import goods_model
from pipelines.training.inspected import KEY_HASHES, key_columns, with_key_hashes
from pipelines.work.progress import Progress

_INSPECTION_COLUMNS = (
    *("inspected_on", "reported_on", "selection", "inspection_probability"),
    *("assessed_unit_price", "recovered_tax_cny"),
)


@dataclass(frozen=True)
class TrainingData:
    """Frames by risk name, the history at the close of `until`, and what the data was, for the record.

    `all_lines` are, by risk name, features of some lines of each of the newest days, inspected or not: a
    frame as `FeatureSet.for_risk` with `declared_on` and `stands_for`, how many lines of its day each is for.
    The frames of risks with `goods_models` have the columns of `goods`, the goods model of the training,
    if there is one.
    """

    frames: Mapping[str, pl.DataFrame]
    all_lines: Mapping[str, pl.DataFrame]
    history: History
    until: date
    fingerprint: str
    goods: GoodsModel | None = None

    @property
    def lines(self) -> int:
        """Inspected lines with a result, the same for every risk."""
        return max((frame.height for frame in self.frames.values()), default=0)

    def fingerprint_of(self, risk: str) -> str:
        """Return the fingerprint of one risk's data, whichever others were trained beside it."""
        return _fingerprint({risk: self.frames[risk]})


def known_until(chronicle: Chronicle, until: date | None) -> date:
    """Return the day up to which results count: `until`, or the newest day of the store.

    Raises:
        DataError: the store is empty.
    """
    days = chronicle.days()
    if not days:
        raise DataError(
            f"expected declarations and inspections in {chronicle.store.path}, found none: "
            "use `parcel-risk ingest`"
        )
    return until or days[-1]


def training_data(
    chronicle: Chronicle, risks: Sequence[RiskConfig], until: date, progress: Progress
) -> TrainingData:
    """Replay the store and return, per risk, its inspected lines with features and labels.

    Labels are those known at the close of `until`.

    A frame has the columns of `FeatureSet.for_risk`, then `declared_on` (Date), the label columns (Boolean,
    null = not examined), `inspected_on`, `reported_on` (when this risk's label became known), `selection`,
    `inspection_probability`, `assessed_unit_price` and `recovered_tax_cny`. `declared_on` is followed by
    `order_id`, `item_key`, the hashes of `inspected.key_columns` and, with `cross_fitted_rates`, those of the
    keys of hit rates (`_key_<name>`); no model sees them. Rows are in order of day and key.

    Raises:
        DataError: nothing was reported up to `until`.
    """
    inspections = chronicle.store.read_inspections(reported_to=until)
    if inspections.is_empty():
        raise DataError(
            f"expected inspections reported up to {until}, found none in {chronicle.store.path}: "
            "models learn from results; bring them in with `parcel-risk ingest`"
        )
    known = known_labels(inspections, until)
    parts, history = [], chronicle.spec.empty()
    for _, part, closed in replay_features(chronicle, known, risks, until, progress):
        history = closed
        if part is not None:
            parts.append(part)
    goods = goods_model(chronicle, until) if parts and any(risk.goods_models for risk in risks) else None
    data = with_results(parts, known, risks, history, until, goods) if parts else None
    if data is None or not data.lines:
        raise DataError(
            f"none of the {known.height} lines inspected up to {until} has a declaration in "
            f"{chronicle.store.path} that is not later than its inspection: bring the declarations in with "
            "`parcel-risk ingest`"
        )
    return data


def replay_features(
    chronicle: Chronicle, wanted: pl.DataFrame, risks: Sequence[RiskConfig], until: date, progress: Progress
) -> Iterator[tuple[date, DayFeatures | None, History]]:
    """Yield each day up to `until` with its features and the history at its close.

    Features are those of the lines in `wanted` (by `LINE_KEY`) and of the day's sample of all lines, None
    where the day has neither. Older days have no sample: see `newest_days_after`.
    """
    results = chronicle.results_by_day(until)
    history = chronicle.spec.empty()
    sampled_after = newest_days_after(chronicle.settings.pipeline.training, risks, until)
    wanted_lines = chronicle.settings.pipeline.gate.sample_lines
    days, columns = chronicle.days(until=until), key_columns(chronicle)
    with progress.task(f"history and features, {len(days)} days", total=len(days)) as task:
        for day in days:
            lines = chronicle.prepared(day)
            today = chronicle.tables(lines, day, history)
            inspected = lines.join(wanted.select(LINE_KEY), on=LINE_KEY, how="semi", maintain_order="left")
            drawn = sample_of_day(lines, wanted_lines if day > sampled_after else 0)
            part = None
            if inspected.height + drawn.height:
                context = DayContext(day, history, today, chronicle.settings.pipeline.features)
                both = pl.concat([inspected, drawn.drop(STANDS_FOR)]).unique(LINE_KEY).sort(LINE_KEY)
                built = assemble(both, context, chronicle.reference.on(day), risks)
                part = DayFeatures.of(with_key_hashes(built, columns), day, risks, inspected, drawn)
            history = chronicle.step(history, day, today, results.get(day, {}))
            task.advance()
            yield day, part, history


def sample_of_day(lines: pl.DataFrame, wanted: int) -> pl.DataFrame:
    """Return about so many of a day's lines, drawn by hash, with how many of them each stands for."""
    drawn = drawn_lines(lines, wanted) if wanted else lines.clear()
    return drawn.with_columns(pl.lit(lines.height / max(drawn.height, 1)).alias(STANDS_FOR))


def newest_days_after(config: TrainingConfig, risks: Sequence[RiskConfig], until: date) -> date:
    """Return the day after which a sample of all lines is kept beside the inspected ones.

    The days after it are those of the evaluation and those whose results a risk still waits for.
    """
    waits = max((risk.maturity_days for risk in risks), default=0)
    return until - timedelta(days=config.evaluation_days + waits)


@dataclass(frozen=True)
class DayFeatures:
    """Features of a day by risk name: of its inspected lines, and of the sample of all its lines."""

    inspected: Mapping[str, pl.DataFrame]
    drawn: Mapping[str, pl.DataFrame]

    @classmethod
    def of(
        cls,
        built: FeatureSet,
        day: date,
        risks: Sequence[RiskConfig],
        inspected: pl.DataFrame,
        drawn: pl.DataFrame,
    ) -> DayFeatures:
        """Split the features of a day's lines, in their order, by the keys of `inspected` and of `drawn`, a
        `sample_of_day`.
        """
        frames = {risk.name: _dated(built, risk, day) for risk in risks}
        stands_for = pl.lit(drawn[STANDS_FOR].first(), dtype=pl.Float64).alias(STANDS_FOR)
        opened, sampled = _among(built.lines, inspected), _among(built.lines, drawn)
        return cls(
            {name: frame.filter(opened) for name, frame in frames.items()},
            {name: frame.filter(sampled).with_columns(stands_for) for name, frame in frames.items()},
        )


def with_results(
    parts: Sequence[DayFeatures],
    known: pl.DataFrame,
    risks: Sequence[RiskConfig],
    history: History,
    until: date,
    goods: GoodsModel | None = None,
) -> TrainingData:
    """Join the features of days, oldest first, with the results known at the close of `until`.

    `known` is that of `features.history.results.known_labels`; inspected lines without a row in it, or that
    were declared only after their inspection, are left out.
    """
    labels = [name for name, dtype in known.schema.items() if dtype == pl.Boolean]
    days_known = [f"reported_on__{name}" for name in labels]
    targets = known.select(*LINE_KEY, *labels, *days_known, *_INSPECTION_COLUMNS).with_columns(
        pl.col("line_no").cast(pl.Float64)
    )
    frames, all_lines = {}, {}
    for risk in risks:
        used = goods if risk.goods_models else None
        lines, drawn = (
            with_goods_columns(pl.concat(of[risk.name] for of in kind), used)
            for kind in ([part.inspected for part in parts], [part.drawn for part in parts])
        )
        frames[risk.name] = with_results_of(lines, _known_for(risk, targets, days_known))
        all_lines[risk.name] = drawn
    return TrainingData(frames, all_lines, history, until, _fingerprint(frames), goods)


def _among(lines: pl.DataFrame, chosen: pl.DataFrame) -> pl.Series:
    """Return whether each line is one of the chosen (lines,)."""
    marked = chosen.select(LINE_KEY).with_columns(pl.lit(True).alias("_chosen"))
    joined = lines.select(LINE_KEY).join(marked, on=LINE_KEY, how="left", maintain_order="left")
    return joined["_chosen"].fill_null(False)


def _dated(built: FeatureSet, risk: RiskConfig, day: date) -> pl.DataFrame:
    """Return the frame of a risk with its day and what lines are compared by but no model sees."""
    keys = pl.col("^_key_.*$" if risk.cross_fitted_rates else [])
    known = built.lines.select(
        pl.lit(day).alias("declared_on"),
        "order_id",
        pl.col("_item_key").alias("item_key"),
        pl.col(KEY_HASHES),
        keys,
    )
    return pl.concat([built.for_risk(risk), known], how="horizontal")


def _known_for(risk: RiskConfig, targets: pl.DataFrame, days_known: Sequence[str]) -> pl.DataFrame:
    """The targets with the day on which this risk's label became known as `reported_on`."""
    own = f"reported_on__{risk.label}"
    if own in days_known:
        targets = targets.with_columns(pl.coalesce(own, "reported_on").alias("reported_on"))
    return targets.drop(days_known)


def _fingerprint(frames: Mapping[str, pl.DataFrame]) -> str:
    """SHA-256 over the content of the frames, so that a run names exactly what it learned from."""
    digest = hashlib.sha256()
    for name, frame in sorted(frames.items()):
        digest.update(name.encode())
        for column in frame.columns:
            digest.update(f"{column}:{frame.schema[column]}".encode())
            for buffer in frame[column].rechunk().to_arrow().buffers():
                if buffer is not None:
                    digest.update(buffer)
    return digest.hexdigest()

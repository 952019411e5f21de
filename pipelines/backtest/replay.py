"""One strategy through the nights of a period: select, learn what was found and when it was known, go on.

Every night is one change of the strategy's store: the results that are reported that day, what was chosen,
and the features of what was chosen. A killed run goes on with the next night.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from configs.schema.settings import Settings
from features.assemble import FeatureSet, assemble
from features.contract.declarations import LINE_KEY
from features.history.day_tables import DayTables
from features.history.state import History
from features.history.view import DayContext
from models.selection.select import LISTED_SCHEMA, select_from
from pipelines.backtest.learning import (
    newest_models,
    stage_features,
    stage_forgetting,
    stage_training,
    trained,
)
from pipelines.backtest.oracle import Oracle
from pipelines.backtest.outcome import outcomes
from pipelines.backtest.strategies import Strategy, plain
from pipelines.backtest.working_store import late_results, nights_done, read_nights, stage_night, with_schema
from pipelines.backtest.worth import (
    PastHitRates,
    known_findings,
    parcels_by_hit_rate,
    parcels_by_price,
    unsorted_parcels,
)
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import stage_profile
from pipelines.scoring.line_scores import scored
from pipelines.scoring.parcels import parcel_columns, parcels_of
from pipelines.store.store import Store
from pipelines.training.frames import DayFeatures, sample_of_day
from pipelines.training.inspected import key_columns, with_key_hashes
from pipelines.work.progress import Progress

# A killed run folds again what came after the last history on disk.
_NIGHTS_BETWEEN_PROFILES = 7
_PARTIES = ["seller_id", "hs_code"]


@dataclass(frozen=True)
class Plan:
    """The period, and how a strategy goes through it.

    `retrain_every` are days from one training to the next. With `gated`, a new model is in use only where its
    gate lets it. With `pooled`, all offices are one, with one list.
    """

    first: date
    last: date
    retrain_every: int
    gated: bool = True
    pooled: bool = False

    @property
    def days(self) -> list[date]:
        """Every day of the calendar from the first to the last."""
        return [self.first + timedelta(days=step) for step in range((self.last - self.first).days + 1)]

    def trains_before(self, day: date) -> bool:
        """Whether models are trained on the eve of `day`."""
        return (day - self.first).days % self.retrain_every == 0


@dataclass
class _State:
    """What nights hand on: the eve's history, results to come and reported, lines inspected for hit rates."""

    history: History | None
    pending: pl.DataFrame
    reports: pl.DataFrame
    inspected: pl.DataFrame


def replay(
    store: Store, strategy: Strategy, plan: Plan, oracle: Oracle, settings: Settings, progress: Progress
) -> None:
    """Take a strategy through the nights that it has not gone through yet; `store` is its own."""
    settings = settings.model_copy(update={"capacity": strategy.capacity(settings.capacity)})
    chronicle = Chronicle(store, settings)
    with (
        store.lock("backtest"),
        progress.task(f"{strategy.name}, {len(plan.days)} nights", total=len(plan.days)) as bar,
    ):
        done = set(nights_done(store))
        bar.advance(len(done))
        left = [day for day in plan.days if day not in done]
        if left:
            state = _state(chronicle, strategy, left[0])
            with _quiet_selection():
                for day in left:
                    _one_night(chronicle, strategy, plan, oracle, day, state)
                    bar.advance()


@contextmanager
def _quiet_selection() -> Iterator[None]:
    """Keep selection from warning of every list that its caps leave short: the counts say it better."""
    logger = logging.getLogger(select_from.__module__)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _state(chronicle: Chronicle, strategy: Strategy, day: date) -> _State:
    store = chronicle.store
    shown = read_nights(store, "shown")
    late = late_results(store)
    pending = (pl.concat([late, shown], how="diagonal") if shown.width else late).filter(
        pl.col("reported_on") >= day
    )
    history = chronicle.history_before(day) if strategy.learns else None
    reports, inspected = store.read_inspections(), pl.DataFrame()
    if strategy.worth == "past hit rate":
        known = pl.concat([reports.select(LINE_KEY), pending.select(LINE_KEY)]).unique()
        lines = store.scan_declarations(last=day - timedelta(days=1)).select(*LINE_KEY, *_PARTIES)
        inspected = lines.join(known.lazy(), on=LINE_KEY, how="semi").collect()
    return _State(history, pending, reports, inspected)


def _one_night(
    chronicle: Chronicle, strategy: Strategy, plan: Plan, oracle: Oracle, day: date, state: _State
) -> None:
    store, settings, eve = chronicle.store, chronicle.settings, day - timedelta(days=1)
    if state.history is not None and plan.trains_before(day) and not trained(store, eve):
        with store.transaction() as t:
            stage_training(t, store, state.history, settings, eve, gated=plan.gated)
    choice = _choose(chronicle, strategy, plan, day, state)
    night = _Opened.of(choice, oracle, store, settings, day)
    reported = pl.col("reported_on") == day
    due = state.pending.filter(reported)
    with store.transaction() as t:
        if due.height:
            store.write_inspections(t, day, due)
        stage_night(t, store, day, opened=night.opened, shown=night.shown, night=night.night)
        if choice.features is not None:
            chosen = choice.lines.join(night.shown.select(LINE_KEY).unique(), on=LINE_KEY, how="semi")
            sample = sample_of_day(choice.lines, settings.pipeline.gate.sample_lines)
            risks = list(settings.risks.values())
            features = with_key_hashes(choice.features, key_columns(chronicle))
            stage_features(t, store, day, DayFeatures.of(features, day, risks, chosen, sample))
            stage_forgetting(t, store, settings.pipeline.training, risks, day)
    state.pending = pl.concat([state.pending.filter(~reported), night.shown], how="diagonal")
    state.reports = pl.concat([state.reports, with_schema(due, store)])
    if strategy.worth == "past hit rate":
        opened = choice.lines.join(night.opened.select("declaration_id"), on="declaration_id", how="semi")
        state.inspected = pl.concat([state.inspected, opened.select(*LINE_KEY, *_PARTIES)])
    if state.history is not None and choice.today is not None and (choice.lines.height or due.height):
        results = chronicle.results(day, state.reports)
        state.history = chronicle.step(state.history, day, choice.today, results)
        if (day - plan.first).days % _NIGHTS_BETWEEN_PROFILES == 0:
            with store.transaction() as t:
                stage_profile(t, store, state.history, chronicle.spec)


@dataclass(frozen=True)
class _Choice:
    """A day's lines by key, its parcels with their values, the chosen; what a learning strategy sees."""

    lines: pl.DataFrame
    parcels: pl.DataFrame
    listed: pl.DataFrame
    features: FeatureSet | None = None
    today: DayTables | None = None


def _choose(chronicle: Chronicle, strategy: Strategy, plan: Plan, day: date, state: _State) -> _Choice:
    store, settings = chronicle.store, chronicle.settings
    features, today = None, None
    if state.history is not None:
        lines = chronicle.prepared(day)
        today = chronicle.tables(lines, day, state.history)
        lines = lines.sort(LINE_KEY)
        context = DayContext(day, state.history, today, settings.pipeline.features)
        risks = list(settings.risks.values())
        features = assemble(lines, context, chronicle.reference.on(day), risks) if lines.height else None
        parcels = _scored_parcels(store, lines, features, settings, day)
    else:
        asked = parcel_columns(settings.capacity.must_inspect)
        columns = dict.fromkeys([*asked, *_PARTIES, "total_price", "currency"])
        lines = store.read_declarations(day, list(columns)).sort(LINE_KEY)
        parcels = _valued_parcels(chronicle, strategy, lines, day, state)
    if plan.pooled:
        parcels = parcels.with_columns(customs_office=pl.lit("all"), is_export=False)
    nothing = pl.DataFrame(schema=LISTED_SCHEMA)
    listed = select_from([parcels], settings.capacity, day).listed if parcels.height else nothing
    return _Choice(lines, parcels, listed, features, today)


def _scored_parcels(
    store: Store, lines: pl.DataFrame, features: FeatureSet | None, settings: Settings, day: date
) -> pl.DataFrame:
    if features is None:
        return unsorted_parcels(lines)
    champions = tuple(sorted(newest_models(store).items()))
    day_scores = scored(lines, features, settings.risks, champions)
    return parcels_of(lines, day_scores, settings.risks, settings.capacity.must_inspect, day)


def _valued_parcels(
    chronicle: Chronicle, strategy: Strategy, lines: pl.DataFrame, day: date, state: _State
) -> pl.DataFrame:
    if strategy.worth == "price":
        return parcels_by_price(lines, chronicle.reference.on(day))
    if strategy.worth == "past hit rate":
        known = known_findings(state.reports, day - timedelta(days=1), state.inspected)
        rates = PastHitRates(known, chronicle.settings.pipeline.hit_rates.smoothing)
        return parcels_by_hit_rate(lines, rates)
    return unsorted_parcels(lines)


@dataclass(frozen=True)
class _Opened:
    """The tables that a night leaves, see `working_store.stage_night`."""

    opened: pl.DataFrame
    shown: pl.DataFrame
    night: pl.DataFrame

    @classmethod
    def of(cls, choice: _Choice, oracle: Oracle, store: Store, settings: Settings, day: date) -> _Opened:
        """What the chosen parcels of `day`, opened on the next day, show; and what a sort alone would have
        found.
        """
        listed, sorts = choice.listed, _sorts(choice, settings, day)
        every = pl.concat([listed, *sorts.values()]).select("declaration_id").unique()
        asked = every.with_columns(pl.lit(day + timedelta(days=1), pl.Date).alias("opened_on"))
        results = oracle.shown(day, asked) if asked.height else pl.DataFrame(schema=store.inspection_schema())
        results = results.drop("selection", "inspection_probability", strict=False)
        brought = outcomes(results, settings.risks)
        channel = listed.select("declaration_id", "selection", "inspection_probability")
        shown = with_schema(results.join(channel, on="declaration_id"), store)
        opened = listed.join(brought, on="declaration_id", how="left", maintain_order="left")
        row = {"declared_on": day, "parcels": choice.parcels.height, "opened": listed.height}
        for name, chosen in sorts.items():
            found = brought.join(chosen.select("declaration_id"), on="declaration_id", how="semi")
            row |= {
                f"{name}_opened": chosen.height,
                f"{name}_findings": int(found["found"].sum()),
                f"{name}_value_cny": float(found["value_cny"].sum()),
            }
        return cls(
            opened.with_columns(pl.lit(day, pl.Date).alias("declared_on")),
            shown.sort(*LINE_KEY, "reported_on"),
            pl.DataFrame([row], schema_overrides={"declared_on": pl.Date}),
        )


def _sorts(choice: _Choice, settings: Settings, day: date) -> dict[str, pl.DataFrame]:
    """What the highest expected values alone would choose of the same night: `sort`, as many parcels of each
    office as were chosen by risk, and `full_sort`, as many as were chosen in all. Nothing where the
    strategy has no model.
    """
    nothing = choice.listed.clear()
    if choice.features is None:
        return {"sort": nothing, "full_sort": nothing}
    offices = choice.parcels["customs_office"].unique().to_list()
    sorts = {}
    for name, part in (("sort", choice.listed.filter(selection="risk")), ("full_sort", choice.listed)):
        places = dict(part.group_by("customs_office").len().iter_rows())
        wanted = {office: places.get(office, 0) for office in offices}
        sorts[name] = select_from([choice.parcels], plain(settings.capacity), day, wanted).listed
    return sorts

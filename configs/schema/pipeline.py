"""The objects behind `pipeline.yaml`. What each key means is explained in that file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from configs.schema.candidate import CandidateConfig
from configs.schema.checks import ChecksConfig
from configs.schema.frozen import Code, Frozen, Name, Share, Text
from configs.schema.gate import GateConfig
from configs.schema.monitoring import MonitoringConfig
from configs.schema.statistics import StatisticsConfig
from configs.schema.tuning import TuningConfig

Readers = Literal["owner", "group", "all"]
"""Who may read a file: its owner alone, its group as well, or everybody."""

PositiveDays = Annotated[float, Field(gt=0.0, le=3650.0)]


class ArchiveConfig(Frozen):
    """What an archive may unpack to, with those within it.

    `bytes` are those of all its files, `ratio` is unpacked over packed bytes, `depth` says how many lie in
    one another.
    """

    files: int = Field(1_000_000, ge=1)
    bytes: int = Field(64 * 2**30, ge=1_000_000)
    ratio: int = Field(250, ge=2, le=1_100)
    depth: int = Field(2, ge=1, le=10)


class IngestConfig(Frozen):
    """How strict and how big the steps of `ingest` are."""

    tolerance: Share = 0.05
    future_days: int = Field(1, ge=0, le=366)
    past_days: int = Field(60, ge=0, le=3650)
    laboratory_days: int = Field(30, ge=1, le=3650)
    chunk_rows: int = Field(100_000, ge=1_000, le=10_000_000)
    workers: int = Field(2, ge=1, le=64)
    merge_rows: int = Field(250_000, ge=1_000, le=10_000_000)
    max_text_chars: int = Field(2_000, ge=100, le=100_000)
    null_words: tuple[Code, ...] = ()
    archives: ArchiveConfig = ArchiveConfig()


class PseudonymsConfig(Frozen):
    """Where the key of the pseudonyms is, when the environment does not hold it."""

    key_file: str | None = None


class StoreConfig(Frozen):
    """How the store cuts a day, and who may read it."""

    bucket_rows: int = Field(250_000, ge=1_000, le=10_000_000)
    readable_by: Readers = "owner"


class Combination(Frozen):
    """Columns whose values together get a line count and a hit rate; `backoff` names the shorter key.

    With `same_day`, what they have in common today (parcels, value) becomes features too.

    >>> Combination(name="hs6_origin", columns=("hs6", "origin_country"), backoff="hs6").columns
    ('hs6', 'origin_country')
    """

    name: Name
    columns: tuple[Text, ...] = Field(max_length=5)
    backoff: Name | None = None
    same_day: bool = False

    @field_validator("columns")
    @classmethod
    def _no_repeats(cls, columns: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(columns)) != len(columns):
            raise ValueError("a column stands in it twice")
        return columns


class HistoryConfig(Frozen):
    """What the history of parties and commodities keeps, and how fast it forgets."""

    landmark: date = date(2020, 1, 1)
    activity_half_lives_days: tuple[PositiveDays, ...] = Field((7.0, 60.0), min_length=1, max_length=5)
    result_half_life_days: PositiveDays = 120.0
    price_half_life_days: PositiveDays = 60.0
    keep_daily_profiles: int = Field(7, ge=1, le=3650)
    keep_weekly_profiles: int = Field(8, ge=0, le=520)
    result_lookback_days: int = Field(400, ge=1, le=3650)
    parties: tuple[Name, ...]
    combinations: tuple[Combination, ...]
    extra_columns: int = Field(6, ge=0, le=20)

    @field_validator("parties")
    @classmethod
    def _parties_are_ids(cls, parties: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [party for party in parties if not party.endswith("_id")]
        if wrong or len(set(parties)) != len(parties):
            raise ValueError("expected different columns that end in _id")
        return parties

    @model_validator(mode="after")
    def _backoff_is_known(self) -> HistoryConfig:
        known = {party.removesuffix("_id") for party in self.parties}
        seen: set[str] = set()
        for combination in self.combinations:
            if combination.name in seen:
                raise ValueError(f"the combination {combination.name!r} is listed twice")
            if combination.backoff is not None and combination.backoff not in known | seen:
                raise ValueError(
                    f"the combination {combination.name!r} backs off to {combination.backoff!r}, "
                    "which is neither a party nor a combination listed above it"
                )
            seen.add(combination.name)
        return self

    @property
    def hit_rate_keys(self) -> tuple[Combination, ...]:
        """Every key that gets a hit rate, each once and after the one it backs off to.

        A party that no combination of its name spells out is added (`seller_id` as `seller`), backing off to
        `all` where that is listed.
        """
        listed = {combination.name for combination in self.combinations}
        prior = tuple(combination for combination in self.combinations if not combination.columns)
        rest = tuple(combination for combination in self.combinations if combination.columns)
        backoff = prior[0].name if prior else None
        parties = tuple(
            Combination(name=party.removesuffix("_id"), columns=(party,), backoff=backoff)
            for party in self.parties
            if party.removesuffix("_id") not in listed
        )
        return prior + parties + rest


class HitRatesConfig(Frozen):
    """How strongly a hit rate of few inspections is pulled to that of the shorter key.

    `smoothing` is what is believed before; with `learn_smoothing` each key learns its own from its results,
    from `least_smoothing` to `most_smoothing`.
    """

    smoothing: float = Field(20.0, gt=0.0, le=10_000.0)
    learn_smoothing: bool = True
    least_smoothing: float = Field(2.0, gt=0.0, le=10_000.0)
    most_smoothing: float = Field(100.0, gt=0.0, le=10_000.0)

    @model_validator(mode="after")
    def _from_least_to_most(self) -> Self:
        if self.least_smoothing > self.most_smoothing:
            raise ValueError("least_smoothing is above most_smoothing")
        return self


class PeerLevel(Frozen):
    """One definition of "the same goods": lines that agree in all of `columns`."""

    name: Name
    columns: tuple[Text, ...] = Field(min_length=1, max_length=5)


class PeersConfig(Frozen):
    """With which lines a price or a weight is compared."""

    min_peers: int = Field(20, ge=2, le=100_000)
    levels: tuple[PeerLevel, ...] = Field(min_length=1)
    goods_min_peers: int = Field(5, ge=2, le=100_000)
    goods_levels: tuple[PeerLevel, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [level.name for level in self.every_level]
        if len(set(names)) != len(names):
            raise ValueError("two levels have the same name")
        return self

    @property
    def every_level(self) -> tuple[PeerLevel, ...]:
        """The levels of the heading, then those of the goods."""
        return (*self.levels, *self.goods_levels)

    @property
    def columns_by_level(self) -> dict[str, tuple[str, ...]]:
        """The columns of every level by its name."""
        return {level.name: level.columns for level in self.every_level}

    @property
    def fewest_by_level(self) -> dict[str, int]:
        """How few similar lines say something, by the name of the level."""
        return {level.name: self.min_peers for level in self.levels} | {
            level.name: self.goods_min_peers for level in self.goods_levels
        }


class MetricConfig(Frozen):
    """A figure of one's own, computed by a function of (found, probability, sample_weight=…)."""

    name: Name
    function: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")]
    better: Literal["higher", "lower"] = "higher"


class TrainingConfig(Frozen):
    """How models are fitted and evaluated."""

    seed: int = Field(7, ge=0, le=2**31 - 1)
    folds: int = Field(4, ge=2, le=20)
    evaluation_days: int = Field(14, ge=1, le=3650)
    min_findings: int = Field(20, ge=2)
    threads: int = Field(2, ge=1, le=1024)
    max_rows: int | None = Field(None, ge=1_000)
    capacities: tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...] = Field(
        (0.01, 0.02, 0.05, 0.10), min_length=1
    )
    metrics: tuple[MetricConfig, ...] = ()
    candidates: tuple[CandidateConfig, ...] = ()

    @field_validator("candidates")
    @classmethod
    def _named_once(cls, candidates: tuple[CandidateConfig, ...]) -> tuple[CandidateConfig, ...]:
        names = ["own", *(each.name for each in candidates)]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"expected a name of its own for each, and not own; came again: {repeated}")
        return candidates

    @field_validator("capacities")
    @classmethod
    def _rising(cls, capacities: tuple[float, ...]) -> tuple[float, ...]:
        if list(capacities) != sorted(set(capacities)):
            raise ValueError("expected different shares from small to large")
        return capacities


class ScoringConfig(Frozen):
    """How the nightly job uses the machine."""

    workers: int = Field(2, ge=1, le=4096)
    threads: int = Field(1, ge=1, le=1024)
    tries: int = Field(3, ge=1, le=20)
    bucket_timeout_seconds: float | None = Field(1800.0, gt=0.0)
    metrics_file: str | None = None
    metrics_readable_by: Readers = "all"


class FeaturesConfig(Frozen):
    """The sections of `pipeline.yaml` that decide what a feature is."""

    history: HistoryConfig
    hit_rates: HitRatesConfig
    peers: PeersConfig


class NightConfig(Frozen):
    """What a night may take on beside its own day."""

    # Each night adds a day to those that wait: one a night would never catch up.
    refold_days: int = Field(30, ge=2, le=3650)


class PipelineConfig(Frozen):
    """All of `pipeline.yaml`."""

    ingest: IngestConfig = IngestConfig()
    pseudonyms: PseudonymsConfig = PseudonymsConfig()
    store: StoreConfig = StoreConfig()
    history: HistoryConfig
    hit_rates: HitRatesConfig = HitRatesConfig()
    peers: PeersConfig
    training: TrainingConfig = TrainingConfig()
    gate: GateConfig = GateConfig()
    tuning: TuningConfig
    scoring: ScoringConfig = ScoringConfig()
    night: NightConfig = NightConfig()
    checks: ChecksConfig = ChecksConfig()
    monitoring: MonitoringConfig = MonitoringConfig()
    statistics: StatisticsConfig = StatisticsConfig()

    @property
    def features(self) -> FeaturesConfig:
        """What the features are made by."""
        return FeaturesConfig(history=self.history, hit_rates=self.hit_rates, peers=self.peers)

"""The typed configuration, gathered: what `load_settings` returns and the objects inside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.errors import ConfigurationError
from configs.messages import nearest
from configs.schema.capacity import CapacityConfig, CapsConfig, MustInspect, OfficeCapacity, OfficeOverride
from configs.schema.frozen import Frozen
from configs.schema.gate import GateConfig
from configs.schema.monitoring import MonitoringConfig
from configs.schema.pipeline import (
    Combination,
    HistoryConfig,
    HitRatesConfig,
    IngestConfig,
    PeerLevel,
    PeersConfig,
    PipelineConfig,
    PseudonymsConfig,
    ScoringConfig,
    StoreConfig,
    TrainingConfig,
)
from configs.schema.reasons import ReasonsConfig, ReasonTemplate
from configs.schema.risk import ConstantValue, RiskConfig, TaxShortfallValue, Title
from configs.schema.source import (
    DerivedColumn,
    ExtraColumns,
    InspectionColumns,
    LabelColumn,
    NumberColumn,
    SourceMapping,
)
from configs.schema.tuning import SearchRange, TuningConfig

__all__ = [
    "CapacityConfig",
    "CapsConfig",
    "Combination",
    "ConstantValue",
    "DerivedColumn",
    "ExtraColumns",
    "GateConfig",
    "HistoryConfig",
    "HitRatesConfig",
    "IngestConfig",
    "InspectionColumns",
    "LabelColumn",
    "MonitoringConfig",
    "MustInspect",
    "NumberColumn",
    "OfficeCapacity",
    "OfficeOverride",
    "PeerLevel",
    "PeersConfig",
    "PipelineConfig",
    "PseudonymsConfig",
    "ReasonTemplate",
    "ReasonsConfig",
    "RiskConfig",
    "ScoringConfig",
    "SearchRange",
    "Settings",
    "SourceMapping",
    "StoreConfig",
    "TaxShortfallValue",
    "Title",
    "TrainingConfig",
    "TuningConfig",
]


class Settings(Frozen):
    """Everything that is configured, checked and immutable.

    `risks` is sorted by name. `fingerprint` is the SHA-256 of the text of every file that took effect, so two
    runs with the same fingerprint were configured alike.
    """

    pipeline: PipelineConfig
    capacity: CapacityConfig
    risks: dict[str, RiskConfig]
    fingerprint: str
    overlay: Path | None = None

    def risk(self, name: str) -> RiskConfig:
        """The risk of that name.

        Raises:
            ConfigurationError: there is none; the message lists those there are.
        """
        if name not in self.risks:
            raise ConfigurationError(
                f"expected one of the risks {', '.join(self.risks)}; came {name!r}."
                f"{nearest(name, self.risks)} "
                "A risk is a file risks/<name>.yaml in the folder given with --configs."
            )
        return self.risks[name]

    def select_risks(self, names: Sequence[str]) -> tuple[RiskConfig, ...]:
        """The named risks, each once and in the order of their names; all of them where none is named."""
        return tuple(self.risk(name) for name in sorted(set(names) or self.risks))

"""The typed configuration, gathered: what `load_settings` returns and the objects inside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.capacity_schema import CapacityConfig, CapsConfig, MustInspect, OfficeCapacity, OfficeOverride
from configs.errors import ConfigurationError
from configs.frozen import Frozen
from configs.gate_schema import GateConfig
from configs.messages import nearest
from configs.monitoring_schema import MonitoringConfig
from configs.pipeline_schema import (
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
from configs.reason_schema import ReasonsConfig, ReasonTemplate
from configs.risk_schema import ConstantValue, RiskConfig, TaxShortfallValue, Title
from configs.source_schema import (
    DerivedColumn,
    ExtraColumns,
    InspectionColumns,
    LabelColumn,
    NumberColumn,
    SourceMapping,
)
from configs.tuning_schema import SearchRange, TuningConfig

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

    def source_mapping(self, name_or_path: str | Path) -> SourceMapping:
        """The mapping of a foreign table, by its name in `sources/` or by the path of a file.

        Raises:
            ConfigurationError: there is no such mapping, or its file is wrong.
        """
        from configs.loader import load_source_mapping  # the loader builds Settings, so it comes second

        return load_source_mapping(name_or_path, self.overlay)

    def reference_path(self, filename: str) -> Path:
        """Where the reference table is read from: the overlay's file if it has one, else the packaged one.

        Raises:
            ConfigurationError: no table of that name is part of the program.
        """
        from configs.loader import reference_path

        return reference_path(filename, self.overlay)

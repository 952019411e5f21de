"""Every section of the configuration in one object: what `load_settings` returns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from configs.errors import ConfigurationError
from configs.messages import nearest
from configs.schema.capacity import CapacityConfig
from configs.schema.frozen import Frozen
from configs.schema.pipeline import PipelineConfig
from configs.schema.risk import RiskConfig


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

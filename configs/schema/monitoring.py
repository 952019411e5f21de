"""The object behind `monitoring` in `pipeline.yaml`. What each key means is explained in that file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from configs.schema.frozen import Frozen

_Index = Annotated[float, Field(gt=0.0, le=10.0)]
_Ratio = Annotated[float, Field(gt=1.0, le=100.0)]


class MonitoringConfig(Frozen):
    """What a day is compared with, and how far apart things must be before it is reported.

    >>> MonitoringConfig().weeks
    4
    """

    weeks: int = Field(4, ge=1, le=52)
    reference_days: int = Field(5, ge=1, le=60)
    sample_lines: int = Field(20_000, ge=100, le=1_000_000)
    office_lines: int = Field(100, ge=20, le=1_000_000)
    false_alarm_rate: float = Field(0.01, gt=0.0, lt=0.5)
    drift_watch: _Index = 0.10
    drift_retrain: _Index = 0.25
    calibration_factor: _Ratio = 1.5
    least_lift: float = Field(1.5, gt=0.0, le=1000.0)
    hit_rate_fall: float = Field(0.7, gt=0.0, lt=1.0)
    delay_days: float = Field(3.0, gt=0.0, le=365.0)
    newcomers_ratio: _Ratio = 1.5

    @model_validator(mode="after")
    def _retrain_is_more(self) -> MonitoringConfig:
        if self.drift_retrain <= self.drift_watch:
            raise ValueError(
                "expected drift_retrain above drift_watch, "
                f"came {self.drift_retrain:g} and {self.drift_watch:g}"
            )
        return self

"""The objects behind the section `gate` of `pipeline.yaml`. What each key means is explained in that file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from configs.schema.frozen import Frozen, Share


class GateConfig(Frozen):
    """What a new model has to show before it takes the place of the one in use."""

    metric: Annotated[str, Field(min_length=1)] = "average_precision"
    against_champion: Literal["better", "not_worse"] = "better"
    tolerance: Share = 0.02
    least_findings: int = Field(10, ge=1)
    slice_drop: Share = 0.05
    calibration_tolerance: float = Field(0.25, ge=0.0, le=10.0)
    feature_shift: float = Field(0.25, ge=0.0, le=100.0)
    false_alarm_rate: float = Field(0.01, gt=0.0, le=0.5)
    sample_lines: int = Field(1_000, ge=10, le=1_000_000)
    single_feature_auc: float = Field(0.97, gt=0.5, le=1.0)

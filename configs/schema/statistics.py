"""The object behind `statistics` in `pipeline.yaml`. What each key means is explained in that file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from configs.schema.frozen import Frozen


class StatisticsConfig(Frozen):
    """When a month is final, and which cells of it are not shown.

    >>> StatisticsConfig().least_enterprises
    0
    """

    final_after_days: int = Field(60, ge=0, le=3650)
    least_enterprises: int = Field(0, ge=0, le=1000)
    least_interval: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5

"""The name under which notebooks know `pipelines.scoring.features_of_day`."""

from pipelines.scoring.features_of_day import features_of_day

__all__ = ["features_of_day"]

"""The name under which notebooks know `pipelines.night.score`."""

from pipelines.night.score import score

__all__ = ["score"]

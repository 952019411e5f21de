"""The name under which notebooks know `pipelines.training.champion`."""

from pipelines.training.champion import list_champions, promote

__all__ = ["list_champions", "promote"]

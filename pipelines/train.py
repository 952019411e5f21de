"""The name under which notebooks know `pipelines.training.train`."""

from pipelines.training.train import train

__all__ = ["train"]

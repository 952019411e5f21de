"""The name under which notebooks know `pipelines.work.progress`."""

from pipelines.work.progress import Progress

__all__ = ["Progress"]

"""The name under which notebooks know `pipelines.cli.options`."""

from pipelines.cli.options import demo_directory

__all__ = ["demo_directory"]

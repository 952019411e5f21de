"""The name under which notebooks know `pipelines.training.risk_file`."""

from pipelines.training.risk_file import with_parameters

__all__ = ["with_parameters"]

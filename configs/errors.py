"""The errors that a user can meet, each with the exit code of its kind.

Everything that the program raises on purpose is a `ParcelRiskError`. The command line prints its message
without a traceback and leaves with `exit_code`; any other exception is a defect of the program.
"""

from __future__ import annotations


class ParcelRiskError(Exception):
    """Base of all errors with a message for the user.

    >>> ParcelRiskError.exit_code
    1
    """

    exit_code: int = 1


class ConfigurationError(ParcelRiskError):
    """A configuration file is missing, cannot be read, or says something that it must not."""

    exit_code = 2


class UsageError(ParcelRiskError):
    """The command was called in a way that cannot be carried out."""

    exit_code = 2


class DataError(ParcelRiskError):
    """The data breaks the contract beyond the configured tolerance, or cannot be read at all.

    Attributes:
        message: as text, or as one that is told in the language of its reader.
        offset: byte near which a file cannot be read, None where that is not known.
    """

    exit_code = 3

    def __init__(self, message: object, *, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class NoChampionError(ParcelRiskError):
    """No risk has a model in use, so nothing can be scored."""

    exit_code = 4


class StoreError(ParcelRiskError):
    """The store is missing, of another version, or damaged."""


class StoreLockedError(StoreError):
    """Another process is writing to the store."""


class TrackingError(ParcelRiskError):
    """The MLflow server or registry cannot be reached, and the step cannot do without it."""


class ClusterError(ParcelRiskError):
    """The cluster that the work was sent to is gone, or cannot finish it."""

"""The tables of a store that have a folder a day, with the names of their folders and files."""

from __future__ import annotations

from enum import Enum
from typing import Final

PROFILE: Final = "profile.json"


class DayTable(Enum):
    """A table of the store that has a folder a day.

    Attributes:
        folder: the table's folder in the store.
        column: the column that names the day in the names of its folders.
        file: the file of a day, or how a day's files are numbered; empty where a day has other files.
    """

    DECLARATIONS = ("declarations", "declared_on")
    INSPECTIONS = ("inspections", "reported_on", "inspections.parquet")
    INSPECTED = ("inspected", "reported_on", "inspected.parquet")
    QUARANTINE = ("quarantine", "declared_on", "rejected-{:06d}.parquet")
    PROFILES = ("profiles", "as_of", PROFILE)
    SCORES = ("scores", "declared_on")
    VALUES = ("values", "declared_on")
    STRATA = ("strata", "declared_on", "strata.parquet")
    LISTS = ("lists", "declared_on", "sampling_list.parquet")
    PLANS = ("plans", "declared_on", "plan.parquet")
    ISSUED = ("issued", "declared_on")
    FEEDBACK = ("feedback", "declared_on", "returns-{:06d}.parquet")
    MONITORING = ("monitoring", "date")
    CHECKS = ("checks", "declared_on", "checks.parquet")
    # Who sends goods back, and who shares accounts and telephones: several files a day.
    PATTERNS = ("patterns", "declared_on")
    # In the same folders: what the law says of parcels, whether there are documents or not.
    LAW = ("checks", "declared_on", "law.parquet")
    ASSESSMENTS = ("assessments", "declared_on", "assessments.parquet")
    # Of the retail imports of a day what each buyer spent, and when it was known.
    RETAIL_SUMS = ("retail_sums", "declared_on", "sums.parquet")
    ORDERS = ("orders", "received_on")
    PAYMENTS = ("payments", "received_on")
    WAYBILLS = ("waybills", "received_on")
    CANCELLATIONS = ("cancellations", "received_on")
    RETURNS = ("returns", "received_on")
    RECEIPTS = ("receipts", "received_on")
    TAXES = ("taxes", "received_on")
    # What these tables held before, by the day on which it came in.
    CHANGED_DECLARATIONS = ("changes/declarations", "declared_on", "changes.parquet")
    CHANGED_ORDERS = ("changes/orders", "received_on")
    CHANGED_PAYMENTS = ("changes/payments", "received_on")
    CHANGED_WAYBILLS = ("changes/waybills", "received_on")
    CHANGED_CANCELLATIONS = ("changes/cancellations", "received_on")
    CHANGED_RETURNS = ("changes/returns", "received_on")
    CHANGED_RECEIPTS = ("changes/receipts", "received_on")
    CHANGED_TAXES = ("changes/taxes", "received_on")
    # What statistics of a month are added up from.
    STATISTICS_SUMS = ("statistics_sums", "declared_on")
    TRUTH = ("truth", "declared_on", "truth.parquet")
    # What the checks of documents have to find on a day.
    DOCUMENT_TRUTH = ("truth/documents", "checked_on", "truth.parquet")
    # In the stores that a backtest works on.
    NIGHTS = ("nights", "declared_on")
    LEARNED_INSPECTED = ("learning/inspected", "declared_on")
    LEARNED_DRAWN = ("learning/drawn", "declared_on")

    def __init__(self, folder: str, column: str, file: str = "") -> None:
        self.folder = folder
        self.column = column
        self.file = file

    @classmethod
    def named(cls, folder: str) -> DayTable:
        """Return the table of a folder."""
        return next(table for table in cls if table.folder == folder)

    @property
    def changed(self) -> DayTable:
        """Where the rows are that a table of documents held before."""
        return DayTable[f"CHANGED_{self.name}"]


OBSERVED: Final = (
    DayTable.DECLARATIONS,
    DayTable.CHANGED_DECLARATIONS,
    DayTable.CHECKS,
    DayTable.PATTERNS,
)
"""What the features of a day's lines are built from, beside the history: a copy of a store that models learn
or score from needs these, and the inspections.
"""

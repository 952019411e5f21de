"""Why a value became null or a row went to quarantine."""

from __future__ import annotations

from enum import StrEnum


class RejectReason(StrEnum):
    """Kinds of fault. A reason in quarantine reads `column:kind` or, for a whole row, `kind`.

    >>> RejectReason.MISSING.of("hs_code")
    'hs_code:missing'
    """

    MISSING = "missing"
    NOT_TEXT = "not_text"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_WHOLE_NUMBER = "not_a_whole_number"
    NOT_A_TIME = "not_a_time"
    NOT_A_DATE = "not_a_date"
    NOT_YES_OR_NO = "not_yes_or_no"
    NOT_IN_LIST = "not_in_list"
    BAD_FORMAT = "bad_format"
    OUT_OF_RANGE = "out_of_range"
    BEYOND_BOUNDS = "beyond_bounds"
    ROUNDED_NUMBER = "rounded_number"
    FUTURE_DATE = "future_date"
    TOO_OLD = "too_old"
    REPORTED_BEFORE_INSPECTED = "reported_before_inspected"
    BEFORE_DECLARATION = "before_declaration"
    DECLARATION_REFUSED = "declaration_refused"
    DECLARATION_CANNOT_COME = "declaration_cannot_come"
    TEXT_TOO_LONG = "text_too_long"
    TOO_MANY_FIELDS = "too_many_fields"
    UNCLEAR_QUOTES = "unclear_quotes"
    DUPLICATE_KEY = "duplicate_key"
    SHARED_NUMBER = "shared_number"
    BAD_APP_TYPE = "bad_app_type"
    BAD_APP_STATUS = "bad_app_status"
    MISSING_APP_STATUS = "missing_app_status"
    NO_GOODS_LINES = "no_goods_lines"
    NO_INVENTORY_HEAD = "no_inventory_head"
    NO_DOCUMENT_HEAD = "no_document_head"
    OTHER_CURRENCY = "other_currency"
    NOT_AN_AMOUNT = "not_an_amount"
    DRAFT = "draft"
    STATED_TWICE = "stated_twice"
    ELEMENT_INSIDE = "element_inside"
    UNREADABLE_TEXT = "unreadable_text"
    UNREADABLE_FILE = "unreadable_file"
    UNKNOWN_LIST = "unknown_list"
    NOT_ON_LIST = "not_on_list"
    UNKNOWN_DECLARATION = "unknown_declaration"
    CONTRADICTION = "contradiction"
    CONFLICT = "conflict"

    def of(self, column: str) -> str:
        """This reason for one column."""
        return f"{column}:{self.value}"

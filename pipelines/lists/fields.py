"""The fields of a list entry: the one table that selection, documents, issued lists and `feedback` read.

A field has a technical name, which stands in the columns of files, in the workbook's hidden row and in the
exported JSON and never changes, and an English heading for people, which `configs/locale` translates. A row
added here appears wherever its documents say, and is read back where an inspector fills it in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as with_default
from enum import Flag, auto
from pathlib import Path
from typing import Literal

import polars as pl

from configs.language import Language, language
from configs.language_codes import LANGUAGES, LanguageCode
from configs.parcel_ways import PARCEL_WAYS
from configs.schema.risk import RiskConfig
from features.contract.result_words import FOUND_HOW, NOT_OPENED
from pipelines.cases.case import CASE, CASE_TYPE
from pipelines.lists.chances import CHANCES, CHANCES_TYPE
from pipelines.lists.lines import LINES, LINES_TYPE

Source = Literal["selection", "declaration", "night", "issue", "document", "inspector"]
ListKind = Literal["label", "whole", "decimal", "quantity", "share"]
EntryKind = Literal[
    "result", "date", "price", "amount", "text", "parcel", "line", "choice", "heading", "count"
]


class Document(Flag):
    """Where a field stands.

    `TABLE` is sampling_list.parquet and .csv, `IDENTITY` what a list's id is made of and what is kept of a
    listed parcel with every return, `SHEET` the workbook, `PRINT` the part of it that is printed, and `PAGE`
    the page, which gives most fields a place of their own and lists the others with their headings.
    """

    NONE = 0
    TABLE = auto()
    IDENTITY = auto()
    SHEET = auto()
    PRINT = auto()
    PAGE = auto()


@dataclass(frozen=True)
class Field:
    """A field of a list entry.

    Attributes:
        name: its technical name.
        dtype: the type of its column in tables.
        by: what fills it in; the fields by `document` are composed of others and have no column.
        documents: where it stands.
        heading: its heading in English, empty where no document shows it.
        kind: its format. Of what inspectors fill in, `price` is above 0 in the declaration's currency a unit,
            `amount` at least 0 in CNY, `parcel` the declaration_id of another parcel, `line` one of the
            parcel's lines, `choice` one of `choices`, `heading` 4 to 10 digits, `count` above 0.
        width: of its column in the workbook, in characters.
        order: its place among the workbook's columns; what inspectors fill in stands between the printed ones
            and the rest.
        text: `free` where people write what they like, `number` where a number that looks like a person's is
            none.
        spellings: further headings under which `feedback` knows it.
        choices: of a choice, its values and their words in English.
    """

    name: str
    dtype: pl.DataType
    by: Source
    documents: Document = Document.NONE
    heading: str = ""
    kind: ListKind | EntryKind = "label"
    width: int = 12
    order: int = 99
    text: Literal["free", "number"] | None = None
    spellings: tuple[str, ...] = ()
    choices: Mapping[str, str] = with_default(default_factory=dict)


_TABLE, _SHEET, _PAGE = Document.TABLE, Document.SHEET, Document.PAGE
_IDENTITY = Document.TABLE | Document.IDENTITY
_SHOWN = Document.SHEET | Document.PAGE
_PRINTED = Document.SHEET | Document.PRINT | Document.PAGE
GUIDE_TITLE = "What to look for, and how to read the list"
"""What the workbook's sheet of words begins with."""
PRINT_TITLE = "On paper. To fill in on a computer, use the first sheet and hand that in."
"""What the workbook's sheet to print begins with."""
LIST_ID = "list_id"
"""The technical label of the issued list's fingerprint: it stands in the workbook left of the value."""
LISTED_RISK = "result"
"""A single column of results that came back: it is about the risk that the list names for the parcel."""
REASON_COLUMNS = ("reason_1", "reason_2", "reason_3")
_TEXT, _WHOLE, _NUMBER, _DAY = pl.String(), pl.Int32(), pl.Float64(), pl.Date()
FIELDS: tuple[Field, ...] = (
    # As `models.selection.select` gives them, in its order.
    Field("rank", _WHOLE, "selection", _IDENTITY | _PRINTED, "Rank", "whole", 6, 1, spellings=("序号",)),
    Field("customs_office", _TEXT, "selection", _TABLE),
    Field("declaration_id", _TEXT, "selection", _IDENTITY | _PRINTED, "Parcel", "label", 21, 2, "number",
          ("declaration", "parcel id", "declaration number", "申报单号", "包裹编号")),
    Field("line_no", _WHOLE, "selection", _IDENTITY | _SHOWN, "Line", "whole", 6, 11,
          spellings=("line number",)),
    Field("risk", _TEXT, "selection", _IDENTITY | _PRINTED, "Risk", "label", 16, 5),
    Field("probability", _NUMBER, "selection", _TABLE | _SHOWN, "Probability", "share", 11, 23),
    Field("expected_value_cny", _NUMBER, "selection", _TABLE | _SHOWN, "Expected value CNY", "decimal", 14,
          24),
    Field("selection", _TEXT, "selection", _IDENTITY | _SHOWN, "Chosen", "label", 11, 22),
    Field("inspection_probability", _NUMBER, "selection", _IDENTITY),
    Field("trade_mode", _TEXT, "selection", _SHOWN, "Trade mode", "label", 18, 19),
    Field("shift", _TEXT, "selection"),
    Field("together", _WHOLE, "selection", _SHOWN, "Travels with rank", "label", 11, 20),
    # As declared.
    Field("item_name", _TEXT, "declaration", _PRINTED, "Goods as declared", "label", 30, 4, "free"),
    Field("item_model", _TEXT, "declaration", _PAGE, text="free"),
    Field("waybill_id", _TEXT, "declaration", _PRINTED, "Waybill", "label", 18, 3, "number"),
    # Not shown: what a scanner reads from a parcel may be the number of its order.
    Field("order_id", _TEXT, "declaration", text="number"),
    Field("hs_code", _TEXT, "declaration", _SHOWN, "HS code", "label", 12, 12, "number"),
    Field("direction", _TEXT, "declaration", _SHOWN, "Direction", "label", 9, 25),
    Field("origin_country", _TEXT, "declaration", _SHOWN, "Made in", "label", 12, 13),
    Field("dispatch_country", _TEXT, "declaration", _SHOWN, "Sent from", "label", 12, 14),
    Field("destination_country", _TEXT, "declaration", _SHOWN, "Sent to", "label", 12, 26),
    Field("quantity", _NUMBER, "declaration", _SHOWN, "Line, quantity", "quantity", 10, 15,
          spellings=("quantity", "数量")),
    Field("unit", _TEXT, "declaration", _SHOWN, "Unit", "label", 8, 16),
    Field("total_price", _NUMBER, "declaration", _SHOWN, "Declared price", "decimal", 14, 17),
    Field("currency", _TEXT, "declaration", _SHOWN, "Currency", "label", 9, 18),
    Field("gross_weight_kg", _NUMBER, "declaration", _PRINTED, "Parcel, gross kg", "quantity", 10, 10,
          spellings=("gross kg", "毛重（千克）")),
    Field("seller_id", _TEXT, "declaration", _SHOWN, "Seller", "label", 20, 21),
    # What the night knows of the line: its value, the one price that it is compared with, and why.
    Field("total_price_cny", _NUMBER, "night", _PRINTED, "Declared CNY", "decimal", 12, 8),
    Field("expected_price_cny", _NUMBER, "night", _PRINTED, "Reference CNY", "decimal", 12, 9,
          spellings=("usual cny", "通常总价（元）")),
    Field("expected_price_basis", _TEXT, "night", _SHOWN, "Reference rests on", "label", 24, 28),
    Field("likely_headings", _TEXT, "night", _SHOWN, "Such goods go under HS", "label", 20, 29),
    *(Field(name, _TEXT, "night", _TABLE) for name in REASON_COLUMNS),
    Field(LIST_ID, _TEXT, "issue", text="number", spellings=("list", "listid")),
    Field("chance", _TEXT, "document", _PRINTED, "Chance", "label", 13, 6),
    Field("reasons", _TEXT, "document", _PRINTED, "Why", "label", 52, 7),
    Field("parcel_lines", _TEXT, "document", Document.SHEET, "Lines of the parcel", "label", 44, 27),
    # To fill in, beside a result for each risk.
    Field("inspected_on", _DAY, "inspector", _PRINTED, "Inspected on", "date", spellings=(
          "inspected", "inspection date", "date of inspection", "date inspected", "查验日期")),
    Field("reported_on", _DAY, "inspector", kind="date", spellings=(
          "reported", "report date", "date reported")),
    Field("assessed_unit_price", _NUMBER, "inspector", _PRINTED, "Assessed price a unit", "price", spellings=(
          "assessed price", "unit price assessed", "assessed unit price", "核定单价")),
    Field("recovered_tax_cny", _NUMBER, "inspector", _PRINTED, "Recovered tax, CNY", "amount", spellings=(
          "recovered tax", "tax recovered", "追缴税款（元）")),
    Field("found_line", _WHOLE, "inspector", _SHOWN, "Found in line", "line", 9, spellings=(
          "finding in line", "line of the finding")),
    Field("found_how", _TEXT, "inspector", _SHOWN, "How it was done", "choice", 20, choices=FOUND_HOW),
    Field("found_item", _TEXT, "inspector", _SHOWN, "Goods found", "text", 24, text="free"),
    Field("found_hs_code", _TEXT, "inspector", _SHOWN, "HS code found", "heading", 13, text="number"),
    Field("found_quantity", _NUMBER, "inspector", _SHOWN, "Quantity found", "count", 10),
    Field("found_evidence", _TEXT, "inspector", _SHOWN, "Number of seizure or photograph", "text", 20,
          text="number", spellings=("seizure number", "photograph number", "seizure", "photograph")),
    Field("not_opened", _TEXT, "inspector", _SHOWN, "Not opened because", "choice", 18, spellings=(
          "not opened", "why not opened", "未查验原因"), choices=NOT_OPENED),
    Field("note", _TEXT, "inspector", _PRINTED, "Note", "text", 28, text="free", spellings=(
          "notes", "remark", "remarks", "comment", "comments", "备注")),
    Field("opened_instead", _TEXT, "inspector", _SHOWN, "Opened instead", "parcel", 21, text="number",
          spellings=("opened another", "opened another one instead", "改查包裹")),
    Field("override_reason", _TEXT, "inspector", _SHOWN, "Why another one", "text", 28, text="free",
          spellings=("reason for override", "override")),
    Field(LISTED_RISK, _TEXT, "inspector", kind="result", spellings=(
          "results", "finding", "findings", "outcome", "inspection result", "结果", "查验结果")),
)  # fmt: skip

JSON_FORMAT = "parcel-risk results 1"
"""The value of `format` in what the page exports; another number means another layout."""
RESULT_HEADING = "Result: {risk}"
_RESULT_PREFIX = "result_"


def fields_of(*sources: Source, within: Document = Document.NONE) -> list[Field]:
    """Return the fields filled in by one of `sources` (none: by any) that stand `within` a document.

    >>> [field.name for field in fields_of("inspector", within=Document.PRINT)][:2]
    ['inspected_on', 'assessed_unit_price']
    """
    return [field for field in FIELDS if (not sources or field.by in sources) and within in field.documents]


def field_named(name: str) -> Field:
    """Return the field with a technical name."""
    return next(field for field in FIELDS if field.name == name)


def columns_of(fields: Iterable[Field]) -> dict[str, pl.DataType]:
    """Return the columns of fields in a table, with their types."""
    return {field.name: field.dtype for field in fields}


def display_columns() -> dict[str, pl.DataType]:
    """Return what documents show beside the sampling list's columns; what is missing or null is left blank.

    `unit` is shown as it comes, so a unit's name serves better than its code. A column of the name
    `in_language(…)` is shown instead in documents of that language.
    """
    known = fields_of("selection", "declaration", "night", "issue")
    beside = columns_of(field for field in known if Document.TABLE not in field.documents)
    return beside | {CHANCES: CHANCES_TYPE, LINES: LINES_TYPE, CASE: CASE_TYPE}


def in_language(column: str, code: LanguageCode) -> str:
    """The name of the column with the words of `column` in another language than the default.

    >>> in_language("reason_1", "zh-CN")
    'reason_1@zh-CN'
    """
    return f"{column}@{code}"


def entry_fields() -> list[Field]:
    """Return what the documents ask an inspector for beside the results."""
    return fields_of("inspector", within=Document.SHEET)


def fields_read_back() -> list[Field]:
    """Return the fields whose columns `feedback` knows: those with a heading, and what else it asks for."""
    return [field for field in FIELDS if field.heading or field.by == "inspector" or field.name == LIST_ID]


def list_headings() -> dict[str, str]:
    """Return the English headings of the workbook's locked columns by technical name."""
    return {
        field.name: field.heading for field in fields_of(within=Document.SHEET) if field.by != "inspector"
    }


def result_field(risk: str) -> str:
    """Return the technical name of a risk's result.

    >>> result_field("undervaluation")
    'result_undervaluation'
    """
    return f"{_RESULT_PREFIX}{risk}"


def risk_of(field: str) -> str | None:
    """Return the risk whose result a field is, None for any other field.

    >>> risk_of("result_undervaluation"), risk_of("note")
    ('undervaluation', None)
    """
    return field.removeprefix(_RESULT_PREFIX) if field.startswith(_RESULT_PREFIX) else None


def fields_to_fill_in(risks: Iterable[str]) -> tuple[str, ...]:
    """Return the names of all fields to fill in, in their order: a result for each risk, then the rest.

    >>> fields_to_fill_in(["undervaluation"])[:2]
    ('result_undervaluation', 'inspected_on')
    """
    return (*map(result_field, risks), *(field.name for field in entry_fields()))


def result_heading(title: str, words: Language) -> str:
    """Return the heading of the result of a risk with this title."""
    return words(RESULT_HEADING, risk=title)


def field_of_heading(words: str, risks: Mapping[str, RiskConfig], overlay: Path | None = None) -> str | None:
    """Return the technical name of the column with this heading in any language of the documents, else None.

    A technical name is a heading too. `risks` is the configuration's, by name, `overlay` its folder.

    >>> [field_of_heading(words, {}) for words in ("Why another  one", "序号", "rank", "Colour")]
    ['override_reason', 'rank', 'rank', None]
    """
    return _headings(risks, overlay).get(_plain(words))


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()


def _headings(risks: Mapping[str, RiskConfig], overlay: Path | None) -> dict[str, str]:
    known = {}
    for spoken in (language(code, overlay).of(way) for code in LANGUAGES for way in PARCEL_WAYS):
        for field in fields_of(within=Document.SHEET):
            known[_plain(spoken(field.heading))] = field.name
        for name, risk in risks.items():
            known[_plain(result_heading(risk.title.in_language(spoken), spoken))] = result_field(name)
    technical = [*list_headings(), *fields_to_fill_in(risks), LIST_ID]
    return known | {_plain(name): name for name in technical}

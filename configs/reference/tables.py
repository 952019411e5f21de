"""Which reference tables there are, what their columns hold, and how a file is read and checked."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import polars as pl

from configs.errors import ConfigurationError
from configs.messages import MOST_EXAMPLES, nearest, quoted
from configs.reference.columns import ReferenceColumn, ReferenceTable
from configs.reference.goods_tables import GOODS_TABLES

KEYWORD_SEPARATOR = "|"
_MOST_PARSED = 64


def _text(name: str) -> ReferenceColumn:
    return ReferenceColumn(name)


def _text_or_nothing(name: str) -> ReferenceColumn:
    return ReferenceColumn(name, required=False)


def _code(name: str, pattern: str, expected: str) -> ReferenceColumn:
    return ReferenceColumn(name, pattern=pattern, expected=expected)


def _number(name: str, expected: str, minimum: float = 0.0, maximum: float | None = None) -> ReferenceColumn:
    return ReferenceColumn(name, kind="number", expected=expected, minimum=minimum, maximum=maximum)


def _optional_number(name: str) -> ReferenceColumn:
    return ReferenceColumn(name, kind="number", required=False, minimum=0.0, expected="a number or nothing")


def _keywords(name: str) -> ReferenceColumn:
    return ReferenceColumn(name, kind="keywords", required=False)


_ISO_COUNTRY = _code("iso", "^[A-Z]{2}$", "an ISO 3166-1 code of two capital letters")
_CUSTOMS_CODE = _code("customs_code", "^[0-9]{3}$", "three digits")
_HS_PREFIX = ReferenceColumn("hs_prefix", required=False, pattern="^[0-9]{2,10}$", expected="2 to 10 digits")
_SCRIPT = _code("script", "^(hans|hant|latn|jpan|hang|thai|cyrl)$", "a script: hans, hant, latn, jpan, …")
_LANGUAGE = _code("language", "^[a-z]{2,3}$", "a language code such as zh, en, la")
_ENDS = ReferenceColumn(
    "ends",
    required=False,
    pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$",
    expected="a date such as 2027-12-31, or nothing",
)
_NOTE = ReferenceColumn("note", required=False)
# Files laid over the packaged ones may be of a time when tables did not have these.
_LATER = tuple(replace(column, may_lack=True) for column in (_ENDS, _text_or_nothing("notice"), _NOTE))
_MODE = _code("mode", "^[0-9]{4}$", "a mode of four digits")
_TAX_NAMES = "^(vat|consumption|duty|mail|retail_share|retail_duty)$"

# A new table is a CSV file beside this module and an entry here.
TABLES: tuple[ReferenceTable, ...] = (
    ReferenceTable(
        "countries",
        (_CUSTOMS_CODE, _ISO_COUNTRY, _text("name_en"), _text("name_zh")),
        ("customs_code",),
    ),
    ReferenceTable(
        "currencies",
        (_CUSTOMS_CODE, _code("iso", "^[A-Z]{3}$", "an ISO 4217 code of three capital letters"),
         _text("name_en")),
        ("customs_code",),
    ),
    ReferenceTable(
        "units",
        (_code("code", "^[0-9]{3}$", "three digits"), _text("name_zh"), _text("name_en"),
         _optional_number("kg_factor"), _optional_number("pieces_factor")),
        ("code",),
    ),
    ReferenceTable(
        "exchange_rates",
        (_code("currency", "^[A-Z]{3}$", "an ISO 4217 code of three capital letters"),
         _number("cny_per_unit", "CNY for one unit, above 0", 1e-9, 1e6)),
        ("currency",),
        frozenset({"CNY"}),
    ),
    ReferenceTable(
        "taxes",
        (_code("tax", _TAX_NAMES, "vat, consumption, duty, mail, retail_share or retail_duty"), _text("band"),
         replace(_number("rate", "a share from 0 to 1, not percent", maximum=1.0), required=False),
         *_LATER),
        ("tax", "band"),
        frozenset({"vat", "mail"}),
    ),
    ReferenceTable(
        "tax_bands",
        (_code("tax", _TAX_NAMES, "vat, consumption, duty or mail"), _HS_PREFIX, _text("band"),
         _optional_number("min_cny_per_kg"), _optional_number("min_cny_per_sheet"),
         _optional_number("min_cny_per_piece"), *_LATER[1:]),
        ("tax", "hs_prefix", "band"),
        frozenset({"vat", "mail"}),
    ),
    ReferenceTable(
        "limits",
        (_text("name"),
         _number("value", "an amount of at least 0"),
         *_LATER),
        ("name",),
        frozenset({"order_limit_cny", "yearly_allowance_cny", "articles_limit_cny",
                   "articles_limit_nearby_cny", "articles_free_tax_cny"}),
    ),
    ReferenceTable("modes", (_MODE, _text_or_nothing("office"), *_LATER), ("mode", "office")),
    ReferenceTable("mode_places", (_MODE, _text("office"), *_LATER), ("mode", "office"), may_be_empty=True),
    ReferenceTable(
        "return_periods",
        (_code("rule", "^(import|export|export_duty_free)$", "import, export or export_duty_free"),
         _number("count", "a number of days or months, at least 1", 1.0),
         _code("unit", "^(days|months)$", "days or months"),
         _text("notice"),
         _keywords("except_hs"),
         _ENDS,
         _NOTE),
        ("rule",),
    ),
    ReferenceTable(
        "headings",
        (_code("hs_prefix", "^[0-9]{2}([0-9]{2})?$", "2 or 4 digits"), _text("name_en"), _text("name_zh"),
         _keywords("keywords_en"),
         _keywords("keywords_zh")),
        ("hs_prefix",),
    ),
    ReferenceTable(
        "watch_terms",
        (_text("term"), _code("group", "^[a-z][a-z_]*$", "small letters and underscores"),
         _LANGUAGE, _SCRIPT),
        ("term", "group"),
    ),
    ReferenceTable(
        "bounds",
        (_text("column"), _number("least", "a number above 0", minimum=1e-300),
         _number("most", "a number above 0", minimum=1e-300), _NOTE),
        ("column",),
    ),
    ReferenceTable("vague_terms", (_text("term"), _LANGUAGE, _SCRIPT), ("term",)),
    *GOODS_TABLES,
)  # fmt: skip


def read_table(path: Path, table: ReferenceTable) -> pl.DataFrame:
    """A table's rows, typed and checked, with `valid_from` as a date, in the order of the file.

    Lines that start with # and empty lines are left out. Texts are stripped; an empty cell is null.

    Raises:
        ConfigurationError: the file or a cell is not as expected; the message names line and column.
    """
    return _parsed(path, _text_of(path), table)


# Read again by every verb of a process that runs several, and by every test.
@lru_cache(_MOST_PARSED)
def _parsed(path: Path, text: str, table: ReferenceTable) -> pl.DataFrame:
    names = [*(column.name for column in table.columns), "valid_from"]
    lacking = {column.name for column in table.columns if column.may_lack}
    raw, line_numbers = _cells(path, text, names, lacking, 1 if table.may_be_empty else 2)
    problems: list[str] = []
    typed: list[pl.Series] = [
        _typed(raw[column.name], column, line_numbers, problems) for column in table.columns
    ]
    valid_from = raw["valid_from"].str.to_date("%Y-%m-%d", strict=False)
    problems += _bad_cells(raw["valid_from"], valid_from.is_null(), "a date such as 2019-01-01", line_numbers)
    frame = pl.DataFrame([*typed, valid_from])
    repeated = frame.select(pl.struct(*table.key, "valid_from").is_duplicated()).to_series()
    if repeated.any() and not problems:
        lines = [str(line_numbers[row]) for row in repeated.arg_true()[:MOST_EXAMPLES]]
        problems.append(
            f"lines {', '.join(lines)}: the same {', '.join(table.key)} with the same valid_from stands twice"
        )
    missing = sorted(table.needs - set(frame[table.key[0]].drop_nulls())) if not problems else []
    if missing:
        problems.append(f"column {table.key[0]}: expected rows for {', '.join(missing)}; came none")
    if problems:
        shown = problems[:MOST_EXAMPLES]
        if len(problems) > len(shown):
            shown.append(f"and {len(problems) - len(shown)} more")
        raise ConfigurationError(f"{path}:\n" + "\n".join(f"  {problem}" for problem in shown))
    return frame


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"{path}: expected a CSV file that can be read; came: {error.strerror}"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: expected UTF-8 text; byte {error.start} is not") from error


def _cells(
    path: Path, text: str, names: list[str], lacking: set[str], least: int
) -> tuple[pl.DataFrame, list[int]]:
    """All cells as text, and for each row the number of its line in the file, which has so many at least.

    The columns `lacking` need not be there.
    """
    numbered = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.startswith("#")
    ]
    if len(numbered) < least:
        raise ConfigurationError(f"{path}: expected the columns {', '.join(names)} and rows; came none")
    content = "\n".join(line for _, line in numbered) + "\n"
    try:
        raw = pl.read_csv(io.StringIO(content), infer_schema=False)
    except pl.exceptions.PolarsError as error:
        raise ConfigurationError(f"{path}: not a CSV table that can be read: {error}") from error
    unknown = [column for column in raw.columns if column not in names]
    absent = [name for name in names if name not in raw.columns and name not in lacking]
    if unknown or absent:
        hint = nearest(unknown[0], absent) if unknown else ""
        raise ConfigurationError(
            f"{path}: expected the columns {', '.join(names)}; came {', '.join(raw.columns)}.{hint}"
        )
    if raw.height != len(numbered) - 1:
        raise ConfigurationError(f"{path}: a quoted cell spans several lines; write each row on one line")
    raw = raw.with_columns(pl.lit(None, pl.String).alias(name) for name in names if name not in raw.columns)
    stripped = raw.select(pl.col(names).str.strip_chars().replace("", None))
    return stripped, [number for number, _ in numbered[1:]]


def _typed(cells: pl.Series, column: ReferenceColumn, lines: list[int], problems: list[str]) -> pl.Series:
    """The column in its type; what does not fit is described in `problems`."""
    wrong = cells.is_null() if column.required else pl.repeat(False, len(cells), eager=True)
    values = cells
    if column.kind == "number":
        values = cells.cast(pl.Float64, strict=False)
        least = -math.inf if column.minimum is None else column.minimum
        most = math.inf if column.maximum is None else column.maximum
        fits = values.is_finite() & values.is_between(least, most)
        wrong = wrong | (cells.is_not_null() & ~fits.fill_null(False))
    elif column.kind == "keywords":
        # Matching is without case, so the words are kept without it.
        words = cells.str.to_lowercase().str.split(KEYWORD_SEPARATOR)
        stripped = words.list.eval(pl.element().str.strip_chars())
        values = stripped.list.eval(pl.element().filter(pl.element() != ""))
    elif column.pattern is not None:
        wrong = wrong | ~cells.str.contains(column.pattern).fill_null(True)
    problems += _bad_cells(cells, wrong, column.expected, lines)
    return values.rename(column.name)


def _bad_cells(cells: pl.Series, wrong: pl.Series, expected: str, lines: list[int]) -> list[str]:
    return [
        f"line {lines[row]}, column {cells.name}: expected {expected}; came {quoted(cells[row] or '')}"
        for row in wrong.arg_true()
    ]

"""What the lists say of lines as they were declared, and of their parcels, with names for codes."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from configs.language_codes import LanguageCode
from features.contract.declarations import COUNTRY_COLUMNS, LINE_KEY
from pipelines.lists.fields import fields_of, in_language
from pipelines.lists.lines import LINES, SHOWN_OF_LINES
from pipelines.scoring.bucket import Workspace

SHOWN = [field.name for field in fields_of("declaration")]
_NAMES: dict[LanguageCode, str] = {"en": "name_en", "zh-CN": "name_zh"}


def shown_lines(space: Workspace, lines: pl.DataFrame) -> pl.DataFrame:
    """The key, what the lists show of a declaration, and the declared value in CNY; units and countries have
    their names, in every language of the documents.
    """
    columns = [*LINE_KEY, *SHOWN, pl.col("_total_cny").alias("total_price_cny")]
    return lines.select(columns).with_columns(*_named(space))


def whole_parcels(space: Workspace, lines: pl.DataFrame) -> pl.DataFrame:
    """`declaration_id` and all its lines, in `LINES`; `lines` are those of whole parcels."""
    named = shown_lines(space, lines).sort(LINE_KEY)
    shown = [name for name in named.columns if name.partition("@")[0] in SHOWN_OF_LINES]
    return named.group_by("declaration_id", maintain_order=True).agg(pl.struct(shown).alias(LINES))


def names_of(space: Workspace, table: str, key: str, code: LanguageCode) -> dict[str, str]:
    """The names that a reference table has, in a language, by its codes in the column `key`."""
    # Several codes of customs may be one country.
    named = space.reference[table].select(key, _NAMES[code]).drop_nulls().unique(key, keep="first")
    return dict(named.iter_rows())


def _named(space: Workspace) -> Iterator[pl.Expr]:
    sources = {"unit": ("units", "code")} | dict.fromkeys(COUNTRY_COLUMNS, ("countries", "iso"))
    default, *others = space.settings.capacity.languages
    for column, (table, key) in sources.items():
        for code in (default, *others):
            shown = column if code == default else in_language(column, code)
            yield pl.col(column).replace(names_of(space, table, key, code)).alias(shown)

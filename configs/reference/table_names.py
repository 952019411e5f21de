"""What reference tables call countries, units and prohibited articles in other languages than English."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from configs.language_codes import LanguageCode
from configs.reference.facts import load_table

_COLUMNS: Final[Mapping[LanguageCode, str]] = {"zh-CN": "name_zh"}


@dataclass(frozen=True)
class TableNames:
    """Names in one language.

    Attributes:
        countries: by ISO 3166-1 code.
        units: by English name.
        items: of the catalogue of prohibited articles, by English name.
    """

    countries: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    items: Mapping[str, str] = field(default_factory=dict)


NO_NAMES: Final = TableNames()


def table_names(code: LanguageCode, overlay: Path | None = None) -> TableNames:
    """Return the names of a language, as the newest row of each key has them; none where it is English.

    Raises:
        ConfigurationError: a table of the overlay is not as expected.

    >>> names = table_names("zh-CN")
    >>> names.countries["DE"], names.units["kilogram"], table_names("en").countries
    ('德国', '千克', {})
    """
    column = _COLUMNS.get(code)
    if column is None:
        return NO_NAMES
    return TableNames(
        *(
            dict(load_table(table, overlay).sort("valid_from").select(key, column).drop_nulls().iter_rows())
            for table, key in (("countries", "iso"), ("units", "name_en"), ("prohibited_items", "name_en"))
        )
    )

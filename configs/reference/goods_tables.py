"""The tables of what may not come in: bans by origin, prohibited articles, the positive list."""

from __future__ import annotations

from typing import Final

from configs.reference.columns import ReferenceColumn, ReferenceTable

_DAY: Final = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"
_NOTE: Final = ReferenceColumn("note", required=False)
_NOTICE: Final = ReferenceColumn("notice", required=False)
_ITEM: Final = ReferenceColumn("item", pattern="^[a-z][a-z_]*$", expected="small letters and underscores")
_TERM: Final = ReferenceColumn("term")
_UNLESS: Final = ReferenceColumn("unless", kind="keywords", required=False)


def _day(name: str) -> ReferenceColumn:
    return ReferenceColumn(
        name, required=False, pattern=_DAY, expected="a date such as 2024-11-08, or nothing"
    )


def _hs_prefix() -> ReferenceColumn:
    return ReferenceColumn("hs_prefix", pattern="^[0-9]{2,10}$", expected="2 to 10 digits")


GOODS_TABLES: Final[tuple[ReferenceTable, ...]] = (
    ReferenceTable(
        "banned_origins",
        (
            # Two capital letters, NA (Namibia) among them: an empty cell alone is none.
            ReferenceColumn("origin", pattern="^[A-Z]{2}$", expected="an ISO 3166-1 code of two letters"),
            ReferenceColumn("region", required=False),
            ReferenceColumn("goods"),
            ReferenceColumn("cause"),
            ReferenceColumn("hs_prefixes", kind="keywords"),
            ReferenceColumn("scope", pattern="^(import|both|post)$", expected="import, both or post"),
            _NOTICE,
            _day("partly_lifted"),
            _day("lifted"),
            _day("known_until"),
            _NOTE,
        ),
        ("origin", "region", "goods", "cause"),
    ),
    ReferenceTable(
        "prohibited_items",
        (_ITEM, ReferenceColumn("name_en"), ReferenceColumn("name_zh"), ReferenceColumn("notice"), _NOTE),
        ("item",),
    ),
    ReferenceTable("prohibited_headings", (_hs_prefix(), _ITEM, _UNLESS, _NOTE), ("hs_prefix",)),
    ReferenceTable(
        "prohibited_words",
        (
            _TERM,
            _ITEM,
            ReferenceColumn(
                "named", pattern="^(last|alone|living|fresh)$", expected="last, alone, living or fresh"
            ),
            _UNLESS,
        ),
        ("term", "named"),
    ),
    ReferenceTable(
        "name_words",
        (
            _TERM,
            ReferenceColumn(
                "role", pattern="^(life|fresh|made|plain)$", expected="life, fresh, made or plain"
            ),
        ),
        ("term", "role"),
    ),
    ReferenceTable(
        "positive_list",
        (
            _hs_prefix(),
            ReferenceColumn(
                "modes", required=False, pattern=r"^(9610|1210|1239)(\|(9610|1210|1239))*$",
                expected="9610, 1210 or 1239, several with | between them, or nothing for all",
            ),
            ReferenceColumn(
                "quantity", kind="number", required=False, minimum=0.0, expected="a number or nothing"
            ),
            ReferenceColumn(
                "unit", required=False, pattern="^[0-9]{3}$", expected="a unit code of three digits"
            ),
            ReferenceColumn("notice"),
            _day("ends"),
            _NOTE,
        ),
        ("hs_prefix",),
        may_be_empty=True,
    ),
)  # fmt: skip

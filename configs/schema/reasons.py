"""Reason templates: how a block's feature values become a sentence on a sampling list."""

from __future__ import annotations

import re
import string

import polars as pl
from pydantic import Field, field_validator

from configs.parcel_ways import WAY_PLACEHOLDERS
from configs.schema.frozen import Frozen, Name, Text

_WIDEST = 60
_COLUMN = re.compile(r"^[a-z][a-z0-9_]*__\w+$")


def _parts(text: str) -> list[tuple[str, str]]:
    """Column and format of each placeholder of a template."""
    return [(field, spec or "") for _, field, spec, _ in string.Formatter().parse(text) if field is not None]


def _require_narrow(spec: str) -> None:
    """A width of a billion would fill the memory with blanks, once a line of a list.

    Raises:
        ValueError: the format asks for more characters or decimals than a sentence has room for.
    """
    widest = max((int(number) for number in re.findall(r"\d{1,9}", spec)), default=0)
    if widest > _WIDEST:
        raise ValueError(f"the format {spec[:40]!r} is wider than {_WIDEST} characters")


FOUND_SHARE = "model__found_share"
"""The column with the share of findings among all lines that a model learned from."""


class ReasonTemplate(Frozen):
    """A sentence with feature columns in braces, and the condition under which it is true.

    Words of the parcel's way, such as `{seller}`, may stand in braces too.

    Of sentences with one `topic` a line gets one. It is not said of the risks `except_for`, of which it is no
    sign. With a `rate`, the columns of findings and of inspected lines, it is said where their share is
    surely above `FOUND_SHARE`, the strongest of a block first.

    >>> template = ReasonTemplate(text="{party__age_days:,.0f} days", when="party__age_days < 30")
    >>> template.columns
    ('party__age_days',)
    >>> template.text.format_map({"party__age_days": 9.0})
    '9 days'
    """

    text: Text
    when: str | None = None
    topic: Name | None = None
    except_for: tuple[Name, ...] = ()
    rate: tuple[Text, Text] | None = None

    @field_validator("text")
    @classmethod
    def _placeholders(cls, text: str) -> str:
        try:
            parts = _parts(text)
        except ValueError as error:
            raise ValueError(f"the braces do not match ({error}); write {{{{ for a brace") from error
        for column, spec in parts:
            if column in WAY_PLACEHOLDERS and not spec:
                continue
            if not _COLUMN.match(column):
                raise ValueError(
                    f"expected a feature column such as {{price__cny_per_kg:,.1f}} in braces, "
                    f"came {{{column}}}"
                )
            if spec:
                _require_narrow(spec)
                try:
                    format(1.0, spec)
                except ValueError as error:
                    raise ValueError(f"{{{column}:{spec}}} is no format for a number ({error})") from error
        return text

    @field_validator("when")
    @classmethod
    def _condition(cls, when: str | None) -> str | None:
        if when is not None:
            try:
                columns = pl.sql_expr(when).meta.root_names()
            except (pl.exceptions.SQLInterfaceError, pl.exceptions.SQLSyntaxError) as error:
                raise ValueError(f"not a condition that SQL understands: {when!r} ({error})") from error
            wrong = [column for column in columns if not _COLUMN.match(column)]
            if wrong or not columns:
                raise ValueError(f"expected a condition on feature columns, came {when!r}")
        return when

    @property
    def conditional_columns(self) -> tuple[str, ...]:
        """The columns that decide whether it is said."""
        asked = () if self.when is None else pl.sql_expr(self.when).meta.root_names()
        return (*asked, *(() if self.rate is None else (*self.rate, FOUND_SHARE)))

    @property
    def columns(self) -> tuple[str, ...]:
        """The feature columns in the sentence, each once, in the order of the words."""
        named = dict.fromkeys(column for column, _ in _parts(self.text))
        return tuple(column for column in named if column not in WAY_PLACEHOLDERS)

    @property
    def condition(self) -> pl.Expr:
        """Whether the sentence holds for a row: all its columns are known and `when` is true."""
        known = [pl.col(column).is_not_null() for column in self.columns]
        if self.when is not None:
            known.append(pl.sql_expr(self.when).fill_null(False))
        return pl.all_horizontal(known) if known else pl.lit(True)


class ReasonsConfig(Frozen):
    """All of `reasons.yaml`: the words that every risk uses for a block unless it has its own."""

    blocks: dict[Name, tuple[ReasonTemplate, ...]] = Field(default_factory=dict)
    fallback: Text = "the {block} of this line resembles that of earlier findings"

    @field_validator("fallback")
    @classmethod
    def _names_the_block(cls, fallback: str) -> str:
        try:
            parts = _parts(fallback)
        except ValueError as error:
            raise ValueError(f"the braces do not match ({error}); write {{{{ for a brace") from error
        if {field for field, _ in parts} != {"block"}:
            raise ValueError("expected one placeholder, {block}, and no other")
        if any(spec for _, spec in parts):
            raise ValueError("expected {block} without a format")
        return fallback

"""The object behind `sources/<name>.yaml`: how a foreign table becomes declarations and inspections."""

from __future__ import annotations

import codecs
from collections import Counter
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, field_validator, model_validator

from configs.schema.frozen import Code, Frozen, Name, Text

NumberFormat = Literal["1,234.50", "1.234,50", "1 234,50", "1'234.50"]
"""How a table writes numbers, by an example."""


def _cell_as_text(value: object) -> object:
    """What YAML takes for a number or a yes/no was a cell of a table."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else value


Cell = Annotated[str, BeforeValidator(_cell_as_text)]
"""A cell of a foreign table as a mapping names it."""


class NumberColumn(Frozen):
    """A number from a column of the source, times a factor (grams to kilograms: 0.001)."""

    column: Text
    factor: float = Field(1.0, gt=0.0)


class DerivedColumn(Frozen):
    """A number computed from two columns of the source: the first divided by the second."""

    ratio: tuple[Text, Text]


class ExtraColumns(Frozen):
    """Columns beyond the contract that are kept under new names: {name in the store: name in the source}."""

    categories: dict[Name, Text] = Field(default_factory=dict)
    numbers: dict[Name, Text] = Field(default_factory=dict)


class LabelColumn(Frozen):
    """A finding: what the cells of `column` mean. A cell that nothing here covers is an error.

    Cells and words are compared without blanks, case and width, and `1.0` is `1`. An empty cell is null. One
    threshold may be given, beyond which numbers are true. Without `false_when` the words of
    `features.contract.result_words.FALSE_WORDS` are false. `may_be_constant` says that all results of a run
    may be the same.
    """

    column: Text
    true_when: tuple[Cell, ...] = ()
    false_when: tuple[Cell, ...] = ()
    null_when: tuple[Cell, ...] = ()
    true_from: float | None = None
    true_above: float | None = None
    true_up_to: float | None = None
    true_below: float | None = None
    may_be_constant: bool = False

    @property
    def threshold(self) -> tuple[str, float] | None:
        """The name of the threshold that is given, and its value."""
        given = self.model_dump(include={*_THRESHOLDS}, exclude_none=True)
        return next(iter(given.items()), None)

    @model_validator(mode="after")
    def _is_sometimes_true(self) -> LabelColumn:
        given = [name for name in _THRESHOLDS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other: keep one of them")
        if not given and not self.true_when:
            raise ValueError(
                f"nothing says when the label is true: give true_when, or one of {', '.join(_THRESHOLDS)}"
            )
        return self


_THRESHOLDS = ("true_from", "true_above", "true_up_to", "true_below")


class InspectionColumns(Frozen):
    """How the lines with labels were inspected; the dates name a column of the contract or of the source.

    `selection` and `inspection_probability` have no default: which lines were drawn by chance, and with which
    one, only the owner of the table knows. Null says that it is not known.
    """

    selection: Text | None = None
    inspection_probability: float | None = Field(None, gt=0.0, le=1.0)
    inspected_on: Text = "declared_at"
    reported_on: Text = "declared_at"


class SourceMapping(Frozen):
    """All of a mapping file. `name` is the file's stem, `encoding` that of a text that is not UTF-8;
    `number_format` is for all numbers of the table.
    """

    name: Text
    description: str = ""
    encoding: str | None = None
    constants: dict[Name, bool | int | float | str] = Field(default_factory=dict)
    rename: dict[Name, Text] = Field(default_factory=dict)
    values: dict[Name, dict[Cell, Code | None]] = Field(default_factory=dict)
    number_format: NumberFormat | None = None
    numbers: dict[Name, NumberColumn] = Field(default_factory=dict)
    derived: dict[Name, DerivedColumn] = Field(default_factory=dict)
    extra: ExtraColumns = ExtraColumns()
    labels: dict[Name, LabelColumn] = Field(default_factory=dict)
    inspection: InspectionColumns = InspectionColumns()
    pseudonymise: tuple[Name, ...] = ()
    time_zone: str | None = None

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, zone: str | None) -> str | None:
        if zone is not None and zone not in available_timezones():
            raise ValueError("expected the name of a time zone, such as Asia/Shanghai or UTC")
        return zone

    @field_validator("encoding")
    @classmethod
    def _is_text(cls, encoding: str | None) -> str | None:
        if encoding is None:
            return None
        try:
            "".encode(encoding)
            return codecs.lookup(encoding).name
        except LookupError as error:
            raise ValueError(
                f"expected an encoding such as gb18030, cp932, euc-kr, big5 or cp1252, got {encoding!r}"
            ) from error

    @model_validator(mode="after")
    def _one_origin_a_column(self) -> SourceMapping:
        origins = Counter(
            target
            for part in (self.constants, self.rename, self.numbers, self.derived, self.labels,
                         self.extra.categories, self.extra.numbers)
            for target in part
        )  # fmt: skip
        twice = sorted(target for target, count in origins.items() if count > 1)
        if twice:
            raise ValueError(f"more than one rule fills {', '.join(twice)}: keep one of them")
        return self

    @model_validator(mode="after")
    def _words_of_labels_are_said_once(self) -> SourceMapping:
        both = sorted(set(self.values) & set(self.labels))
        if both:
            raise ValueError(
                f"values.{both[0]}: {both[0]} is a label, and `values` does not reach it: say what its cells "
                f"mean under labels.{both[0]}, as true_when, false_when and null_when"
            )
        return self

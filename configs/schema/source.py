"""The object behind `sources/<name>.yaml`: how a foreign table becomes declarations and inspections."""

from __future__ import annotations

from collections import Counter

from pydantic import Field, model_validator

from configs.schema.frozen import Code, Frozen, Name, Text


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
    """A finding: true where `column` has one of `true_when`, false where it has another value, else null."""

    column: Text
    true_when: tuple[Code, ...] = Field(min_length=1)


class InspectionColumns(Frozen):
    """How the lines with labels were inspected; the dates name a column of the contract or of the source."""

    selection: Text = "random"
    inspection_probability: float | None = Field(1.0, gt=0.0, le=1.0)
    inspected_on: Text = "declared_at"
    reported_on: Text = "declared_at"


class SourceMapping(Frozen):
    """All of a mapping file. `name` is the file's stem."""

    name: Text
    description: str = ""
    constants: dict[Name, bool | int | float | str] = Field(default_factory=dict)
    rename: dict[Name, Text] = Field(default_factory=dict)
    values: dict[Name, dict[Code, Code | None]] = Field(default_factory=dict)
    numbers: dict[Name, NumberColumn] = Field(default_factory=dict)
    derived: dict[Name, DerivedColumn] = Field(default_factory=dict)
    extra: ExtraColumns = ExtraColumns()
    labels: dict[Name, LabelColumn] = Field(default_factory=dict)
    inspection: InspectionColumns = InspectionColumns()
    pseudonymise: tuple[Name, ...] = ()

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

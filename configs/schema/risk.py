"""The object behind `risks/<name>.yaml`: everything that makes a risk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from configs.language import ENGLISH, Language
from configs.schema.frozen import Frozen, Name, Text
from configs.schema.reasons import ReasonTemplate
from configs.schema.tree_parameters import TreeParameters

_RESERVED_NAMES = frozenset({"declaration_id", "line_no", "declared_on", "customs_office", "seller_id"})


class Title(Frozen):
    """The name of a risk for people."""

    en: Text
    zh: Text | None = None

    def in_language(self, language: Language) -> str:
        """The name in a language; what the file itself says comes before a catalogue."""
        return self.zh if language.code == "zh-CN" and self.zh is not None else language.words(self.en)


class ConstantValue(Frozen):
    """A finding is worth the same amount each time."""

    kind: Literal["constant"]
    cny: float = Field(gt=0.0)


class TaxShortfallValue(Frozen):
    """A finding is worth a sum of its own (`floor_cny`) and the tax that it is expected to bring."""

    kind: Literal["tax_shortfall"]
    floor_cny: float = Field(50.0, ge=0.0)


class RiskConfig(Frozen):
    """All of a risk's file. `name` is the file's stem and the column of its scores."""

    name: Name
    # A risk that is not enabled is neither trained nor scored: as if its file were not there.
    enabled: bool = Field(True, exclude=True)
    label: Name
    title: Title
    description: str = ""
    blocks: Literal["all"] | tuple[Name, ...] = "all"
    extra_columns: Literal["auto"] | tuple[Text, ...] = "auto"
    text_score: bool = True
    linear_start: bool = True
    cross_fitted_rates: bool = False
    monotone_hit_rates: bool = False
    candidates: Literal["all"] | tuple[Name, ...] = "all"
    training_weights: Literal["equal", "inverse_propensity"] = "equal"
    fair_value: bool = False
    goods_models: bool = True
    model: TreeParameters = Field(default_factory=dict)
    rounds: int = Field(300, ge=1, le=10_000)
    finding_value: Annotated[ConstantValue | TaxShortfallValue, Field(discriminator="kind")]
    # Whether who opens the parcel sees it: "nothing found" at a look says nothing of other risks.
    seen_on_opening: bool = False
    maturity_days: int = Field(14, ge=0, le=365)
    reasons: dict[Name, tuple[ReasonTemplate, ...]] = Field(default_factory=dict)
    # Blocks whose words come from reasons.yaml; set by the loader.
    shared_reasons: frozenset[Name] = Field(frozenset(), exclude=True)
    fallback_reason: str = "the {block} of this line resembles that of earlier findings"
    look_for: tuple[Text, ...] = ()

    @field_validator("name")
    @classmethod
    def _not_reserved(cls, name: str) -> str:
        if name in _RESERVED_NAMES:
            raise ValueError(f"{name!r} is a column of every score table; give the file another name")
        return name

    @model_validator(mode="after")
    def _shortfall_needs_a_price(self) -> RiskConfig:
        if isinstance(self.finding_value, TaxShortfallValue) and not self.fair_value:
            raise ValueError("finding_value of kind tax_shortfall needs the fair price: set fair_value: true")
        return self

    def uses_block(self, block: str) -> bool:
        """Whether the features of `block` go into this risk's model."""
        return self.blocks == "all" or block in self.blocks

    def reasons_for(self, block: str, language: Language = ENGLISH) -> tuple[ReasonTemplate, ...]:
        """The templates of a block that may be a sign of this risk, the most telling first.

        A block that nobody wrote words for gets the general sentence of `reasons.yaml`, in `language`.
        """
        if block in self.reasons:
            return tuple(each for each in self.reasons[block] if self.name not in each.except_for)
        return (ReasonTemplate(text=language(self.fallback_reason, block=block.replace("_", " "))),)

"""The object behind `risks/<name>.yaml`: everything that makes a risk."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from configs.language import ENGLISH, Language
from configs.messages import nearest
from configs.schema.frozen import Frozen, Name, Text
from configs.schema.reasons import ReasonTemplate

# What a risk may set. Seeds, threads and the objective belong to the pipeline: reproducible training and
# calibrated probabilities depend on them. LightGBM itself ignores a misspelt parameter.
MODEL_PARAMETERS = frozenset(
    {
        "bagging_fraction", "bagging_freq", "boosting", "cat_l2", "cat_smooth", "extra_trees",
        "feature_fraction", "feature_fraction_bynode", "is_unbalance", "lambda_l1", "lambda_l2",
        "learning_rate", "linear_tree", "max_bin", "max_cat_threshold", "max_cat_to_onehot",
        "max_delta_step", "max_depth", "min_data_in_bin", "min_data_in_leaf", "min_data_per_group",
        "min_gain_to_split", "min_sum_hessian_in_leaf", "neg_bagging_fraction", "num_leaves", "path_smooth",
        "pos_bagging_fraction", "scale_pos_weight",
    }
)  # fmt: skip
# The bit-vector evaluation of trees holds the leaves of a tree in one 64-bit word.
MOST_LEAVES = 64
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
    label: Name
    title: Title
    description: str = ""
    blocks: Literal["all"] | tuple[Name, ...] = "all"
    extra_columns: Literal["auto"] | tuple[Text, ...] = "auto"
    text_score: bool = True
    linear_start: bool = True
    cross_fitted_rates: bool = False
    monotone_hit_rates: bool = False
    training_weights: Literal["equal", "inverse_propensity"] = "equal"
    fair_value: bool = False
    model: dict[str, bool | int | float | str] = Field(default_factory=dict)
    rounds: int = Field(300, ge=1, le=10_000)
    finding_value: Annotated[ConstantValue | TaxShortfallValue, Field(discriminator="kind")]
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

    @field_validator("model")
    @classmethod
    def _parameters(cls, model: dict[str, bool | int | float | str]) -> dict[str, bool | int | float | str]:
        for key in model:
            if key not in MODEL_PARAMETERS:
                raise ValueError(
                    f"{key!r} is not a model parameter that a risk sets.{nearest(key, MODEL_PARAMETERS)} "
                    f"Allowed: {', '.join(sorted(MODEL_PARAMETERS))}"
                )
        leaves = model.get("num_leaves", 31)
        if isinstance(leaves, bool) or not isinstance(leaves, int) or not 2 <= leaves <= MOST_LEAVES:
            raise ValueError(f"expected num_leaves from 2 to {MOST_LEAVES}, came {leaves!r}")
        return model

    @model_validator(mode="after")
    def _shortfall_needs_a_price(self) -> RiskConfig:
        if isinstance(self.finding_value, TaxShortfallValue) and not self.fair_value:
            raise ValueError("finding_value of kind tax_shortfall needs the fair price: set fair_value: true")
        return self

    def uses_block(self, block: str) -> bool:
        """Whether the features of `block` go into this risk's model."""
        return self.blocks == "all" or block in self.blocks

    def reasons_for(self, block: str, language: Language = ENGLISH) -> tuple[ReasonTemplate, ...]:
        """The templates of a block, the most telling first; the last one always applies.

        A block that nobody wrote words for gets the general sentence of `reasons.yaml`, in `language`.
        """
        general = ReasonTemplate(text=language(self.fallback_reason, block=block.replace("_", " ")))
        templates = self.reasons.get(block, ())
        if templates and not templates[-1].columns and templates[-1].when is None:
            return templates
        return (*templates, general)

"""Parameters of LightGBM that a risk or a candidate may set."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from configs.messages import nearest

# What may be set. Seeds, threads and the objective belong to the pipeline: reproducible training and
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


def _checked(model: dict[str, bool | int | float | str]) -> dict[str, bool | int | float | str]:
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


TreeParameters = Annotated[dict[str, bool | int | float | str], AfterValidator(_checked)]

"""What is told of a parcel's other risks belongs to the line that it is told of."""

from __future__ import annotations

import polars as pl

from pipelines.lists.chances import with_chances
from pipelines.night.explain import chances_with_reasons


def test_the_line_is_the_one_that_the_reasons_are_of() -> None:
    """The listed line has the largest value, not always the best chance; a small chance has no reasons."""
    chances = pl.DataFrame(
        {
            "declaration_id": ["A", "A"], "risk": ["food", "price"], "line_no": [1, 2],
            "probability": [0.3, 0.01],
        },
        schema_overrides={"line_no": pl.Int32},
    )  # fmt: skip
    told = pl.DataFrame({"declaration_id": ["A"], "line_no": [3], "risk": ["food"], "reason_1": ["why"]})
    assert chances_with_reasons(chances, told).rows() == [
        ("A", "food", 3, 0.3, "why"),
        ("A", "price", 2, 0.01, None),
    ]


def test_told_are_the_listed_risk_what_is_likelier_and_what_is_not_small() -> None:
    listed = pl.DataFrame(
        {
            "declaration_id": ["A", "B", "C"],
            "risk": ["price", None, "price"],
            "probability": [0.02, None, 0.3],
        }
    )
    chances = pl.DataFrame(
        {
            "declaration_id": ["A", "A", "A", "B", "B"], "line_no": 1,
            "risk": ["food", "ivory", "price", "food", "price"],
            "probability": [0.03, 0.01, 0.02, 0.04, 0.06],
            "reason_1": "why", "reason_1@zh-CN": "为何", "reason_2": "second",
        }
    )  # fmt: skip
    told = with_chances(listed, chances)["chances"].to_list()
    assert [each and [chance["risk"] for chance in each] for each in told] == [
        ["food", "price"], ["price"], None,
    ]  # fmt: skip
    assert told[0][0] == {
        "risk": "food", "line_no": 1, "probability": 0.03, "reason_1": "why", "reason_1@zh-CN": "为何",
    }  # fmt: skip

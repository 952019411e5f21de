"""What is told of a parcel's other risks belongs to the line that it is told of."""

from __future__ import annotations

import polars as pl

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

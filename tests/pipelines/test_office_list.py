from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from configs.loader import load_settings
from pipelines.lists import SAMPLING_LIST_SCHEMA
from pipelines.office_list import DISPLAY_COLUMNS, language_of, office_lists

DAY = date(2026, 11, 20)
RISKS = load_settings().risks


def _listed(*rows: dict[str, Any]) -> pl.DataFrame:
    defaults = {
        "rank": 1, "customs_office": "4601", "declaration_id": "I1", "line_no": 1, "risk": "food_safety",
        "probability": 1 / 6, "expected_value_cny": 50.0, "selection": "risk", "inspection_probability": 1.0,
        "reason_1": "seller first seen 9 days ago", "reason_2": None, "reason_3": None,
    }  # fmt: skip
    return pl.DataFrame(
        [dict.fromkeys(DISPLAY_COLUMNS) | defaults | row for row in rows],
        schema=SAMPLING_LIST_SCHEMA | DISPLAY_COLUMNS,
    )


def test_each_office_has_its_list_in_the_order_of_ranks() -> None:
    listed = _listed(
        {"customs_office": "4601", "rank": 2, "declaration_id": "C"},
        {"customs_office": "2244", "rank": 1, "declaration_id": "A"},
        {"customs_office": "4601", "rank": 1, "declaration_id": "B"},
    )
    lists = office_lists(listed, DAY, RISKS)
    assert [(each.office, [row.declaration_id for row in each.rows]) for each in lists] == [
        ("2244", ["A"]),
        ("4601", ["B", "C"]),
    ]


def test_words_stand_where_columns_had_codes() -> None:
    (office_list,) = office_lists(_listed({}, {"rank": 2, "selection": "random"}), DAY, RISKS)
    row = office_list.rows[0]
    assert (row.risk_title, row.chance, row.reasons) == (
        RISKS["food_safety"].title.en, "about 1 in 6", ("seller first seen 9 days ago",),
    )  # fmt: skip
    assert office_list.summary == "2 parcels: 1 chosen by risk, 1 drawn at random"
    assert office_list.warning is None


def test_the_guide_names_the_risks_on_the_list_and_no_others() -> None:
    (office_list,) = office_lists(_listed({}, {"rank": 2, "risk": "undervaluation"}), DAY, RISKS)
    assert [guide.risk for guide in office_list.guides] == ["food_safety", "undervaluation"]
    assert office_list.guides[0].look_for == RISKS["food_safety"].look_for


def test_a_risk_that_is_no_longer_configured_keeps_its_name() -> None:
    (office_list,) = office_lists(_listed({"risk": "old_risk"}), DAY, RISKS)
    assert (office_list.rows[0].risk_title, office_list.guides[0].look_for) == ("Old risk", ())


def test_a_parcel_without_a_score_says_so() -> None:
    unscored = {"risk": None, "probability": None, "expected_value_cny": None, "selection": "random"}
    (office_list,) = office_lists(_listed(unscored), DAY, RISKS)
    assert (office_list.rows[0].chance, office_list.rows[0].risk_title) == ("not scored", "")
    assert office_list.guides == ()


def test_columns_that_a_source_does_not_bring_are_blank() -> None:
    (office_list,) = office_lists(_listed({}).select(list(SAMPLING_LIST_SCHEMA)), DAY, RISKS)
    assert (office_list.rows[0].goods, office_list.rows[0].gross_weight_kg) == ("", None)


def test_an_incomplete_list_warns() -> None:
    (office_list,) = office_lists(_listed({}), DAY, RISKS, incomplete=True)
    assert office_list.warning is not None
    assert office_list.warning.startswith("INCOMPLETE: ")


def test_hidden_characters_of_every_text_are_spelled_out() -> None:
    texts = {name: "a\u202eb" for name, dtype in DISPLAY_COLUMNS.items() if dtype == pl.String}
    named = {"declaration_id": "a\u202eb", "customs_office": "a\u202eb", "reason_1": "a\u202eb"}
    (office_list,) = office_lists(_listed(texts | named), DAY, RISKS)
    row = office_list.rows[0]
    assert "\u202e" not in repr((row, office_list.title))
    assert row.goods == row.waybill_id == row.declaration_id == row.reasons[0] == "a⟦U+202E⟧b"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("玩具", "zh"),
        ("玩具 toy", "zh"),
        ("おもちゃ玩具", "ja"),
        ("장난감", "ko"),
        ("игрушка", None),
        ("", None),
    ],
)
def test_the_script_tells_the_language(text: str, language: str | None) -> None:
    assert language_of(text) == language

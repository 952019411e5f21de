from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from configs.loader import load_settings
from configs.schema.capacity import OfficeOverride
from models.risk.level import Level
from pipelines.lists.caveats import Caveats
from pipelines.lists.fields import display_columns
from pipelines.lists.html import list_page
from pipelines.lists.office_list import office_lists
from pipelines.lists.parcel import language_of
from pipelines.lists.write import SAMPLING_LIST_SCHEMA
from tests.pipelines.list_examples import listed

DAY = date(2026, 11, 20)
SETTINGS = load_settings()


def _listed(*rows: dict[str, Any]) -> pl.DataFrame:
    defaults = {
        "rank": 1, "customs_office": "4601", "declaration_id": "I1", "line_no": 1, "risk": "food_safety",
        "probability": 1 / 6, "expected_value_cny": 50.0, "selection": "risk", "inspection_probability": 1.0,
        "reason_1": "seller first seen 9 days ago", "reason_2": None, "reason_3": None,
    }  # fmt: skip
    return pl.DataFrame(
        [dict.fromkeys(display_columns()) | defaults | row for row in rows],
        schema=SAMPLING_LIST_SCHEMA | display_columns(),
    )


def test_each_office_has_its_list_in_the_order_of_ranks() -> None:
    listed = _listed(
        {"customs_office": "4601", "rank": 2, "declaration_id": "C"},
        {"customs_office": "2244", "rank": 1, "declaration_id": "A"},
        {"customs_office": "4601", "rank": 1, "declaration_id": "B"},
    )
    lists = office_lists(listed, DAY, SETTINGS)
    assert [(each.office, [row.values["declaration_id"] for row in each.rows]) for each in lists] == [
        ("2244", ["A"]),
        ("4601", ["B", "C"]),
    ]


def test_words_stand_where_columns_had_codes() -> None:
    (office_list,) = office_lists(_listed({}, {"rank": 2, "selection": "random"}), DAY, SETTINGS)
    row = office_list.rows[0]
    assert (row.values["risk"], row.values["chance"], row.reasons) == (
        SETTINGS.risks["food_safety"].title.en, "about 1 in 6", ("seller first seen 9 days ago",),
    )  # fmt: skip
    assert office_list.summary == "Parcels: 2 (by risk: 1, at random: 1)"
    assert office_list.warning is None


def test_the_guide_names_every_risk_that_has_a_result_to_fill_in() -> None:
    (office_list,) = office_lists(_listed({}), DAY, SETTINGS)
    assert [guide.risk for guide in office_list.guides] == list(SETTINGS.risks)
    assert office_list.results == office_list.guides
    assert office_list.guides[0].look_for == SETTINGS.risks["food_safety"].look_for


def test_a_risk_that_is_no_longer_configured_keeps_its_name() -> None:
    (office_list,) = office_lists(_listed({"risk": "old_risk"}), DAY, SETTINGS)
    guide = office_list.guides[-1]
    assert (office_list.rows[0].values["risk"], guide.title, guide.look_for) == ("Old risk", "Old risk", ())
    assert guide not in office_list.results


def test_a_parcel_without_a_score_says_so() -> None:
    unscored = {"risk": None, "probability": None, "expected_value_cny": None, "selection": "random"}
    (office_list,) = office_lists(_listed(unscored), DAY, SETTINGS)
    values = office_list.rows[0].values
    assert (values["chance"], values["risk"]) == ("not scored", "")


def test_a_chance_that_is_known_within_wide_bounds_is_said_with_both_ends() -> None:
    wide, close = Level(0.4, 1.6), Level(0.8, 1.2)
    listed = _listed({"risk": "food_safety", "probability": 0.1})
    for level, said in ((wide, "about 1 in 23 to 1 in 7"), (close, "about 1 in 10")):
        (office_list,) = office_lists(listed, DAY, SETTINGS, caveats=Caveats(levels={"food_safety": level}))
        assert office_list.rows[0].values["chance"] == said


def test_columns_that_a_source_does_not_bring_are_blank() -> None:
    (office_list,) = office_lists(_listed({}).select(list(SAMPLING_LIST_SCHEMA)), DAY, SETTINGS)
    values = office_list.rows[0].values
    assert (values["item_name"], values["gross_weight_kg"]) == ("", None)


def test_an_incomplete_list_warns() -> None:
    (office_list,) = office_lists(_listed({}), DAY, SETTINGS, caveats=Caveats(incomplete=True))
    assert office_list.warning is not None
    assert office_list.warning.startswith("INCOMPLETE: ")


def test_hidden_characters_of_every_text_are_spelled_out() -> None:
    texts = {name: "a\u202eb" for name, dtype in display_columns().items() if dtype == pl.String}
    texts["list_id"] = "9f3c21ab77de"
    named = {"declaration_id": "a\u202eb", "customs_office": "a\u202eb", "reason_1": "a\u202eb"}
    (office_list,) = office_lists(_listed(texts | named), DAY, SETTINGS)
    row = office_list.rows[0]
    assert "\u202e" not in repr((row, office_list.title))
    assert office_list.title == "Sampling list of customs office a⟦U+202E⟧b, shift a⟦U+202E⟧b"
    shown = {row.values[name] for name in ("item_name", "waybill_id", "declaration_id")} | set(row.reasons)
    assert shown == {"a⟦U+202E⟧b"}


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


def test_shifts_have_lists_of_their_own() -> None:
    shifts = [("night", "b"), (None, "c"), ("day", "a")]
    rows = [{"shift": shift, "list_id": number} for shift, number in shifts]
    lists = office_lists(_listed(*rows), DAY, SETTINGS)
    assert [(each.shift, each.list_id) for each in lists] == [(None, "c"), ("day", "a"), ("night", "b")]


def test_a_list_of_exports_says_so() -> None:
    chinese = SETTINGS.capacity.model_copy(update={"language": "zh-CN"})
    rows = _listed({"shift": "exports", "direction": "export", "trade_mode": "9710"})
    for capacity, title in (
        (SETTINGS.capacity, "Sampling list of exports, customs office 4601"),
        (chinese, "出口布控查验清单（关区代码 4601）"),
    ):
        (office_list,) = office_lists(rows, DAY, SETTINGS.model_copy(update={"capacity": capacity}))
        assert office_list.title == title


def test_an_office_reads_its_list_in_its_language() -> None:
    chinese = SETTINGS.capacity.model_copy(update={"offices": {"4601": OfficeOverride(language="zh-CN")}})
    settings = SETTINGS.model_copy(update={"capacity": chinese})
    listed = _listed({"unit": "piece"}, {"customs_office": "2244", "unit": "piece"}).with_columns(
        pl.lit("卖家首次出现于 9 天前").alias("reason_1@zh-CN"), pl.lit("件").alias("unit@zh-CN")
    )
    english, translated = office_lists(listed, DAY, settings)
    assert (english.rows[0].reasons, english.rows[0].values["unit"]) == (
        ("seller first seen 9 days ago",),
        "piece",
    )
    row = translated.rows[0]
    assert (row.reasons, row.values["unit"], row.values["chance"]) == (
        ("卖家首次出现于 9 天前",),
        "件",
        "约每 6 票 1 票",
    )
    assert (row.values["risk"], translated.title) == ("食品安全", "布控查验清单（关区代码 4601）")
    assert translated.guides[0].look_for[2] == "取样送检"


def test_parcels_that_travel_together_name_each_other() -> None:
    rows = listed([{"together": 1}, {"together": None}, {"together": 1}, {"together": 1}])
    (found,) = office_lists(rows, DAY, SETTINGS)
    assert [row.values["together"] for row in found.rows] == ["3, 4", "", "1, 4", "1, 3"]


def test_a_disguised_name_is_shown_with_what_it_reads_as() -> None:
    names = ["Live аnts", "live ants", "b.e.e.t.l.e", None]
    (found,) = office_lists(listed({"item_name": name} for name in names), DAY, SETTINGS)
    read = ["reads as: live ants", "", "reads as: b.e.e.t.l.e beetle", ""]
    assert [row.reads_as for row in found.rows] == read


def test_a_list_by_a_model_that_nothing_shows_to_be_of_use_says_so() -> None:
    caveats = Caveats(unproven=("food_safety",))
    (office_list,) = office_lists(_listed({}), DAY, SETTINGS, caveats=caveats)
    title = SETTINGS.risk("food_safety").title.en
    assert office_list.warning == f"NOT PROVEN: nothing shows yet that these models are of use: {title}."
    assert office_list.warning in list_page(office_list)


def test_what_the_law_says_stands_beside_the_reasons_once() -> None:
    finding = {
        "check": "order_limit", "outcome": "failed", "basis": "GACC notice 2026-7",
        "valid_from": date(2026, 11, 1), "found": "CNY 9.00 with freight and insurance",
        "expected": "at most CNY 5.00 an order",
    }  # fmt: skip
    verdict = (
        "law: worth more than a parcel of retail imports may be on that day (GACC notice 2026-7, in force "
        "from 2026-11-01): CNY 9.00 with freight and insurance; expected: at most CNY 5.00 an order"
    )
    rows = _listed(
        {"case": {"findings": [finding]}},
        {"rank": 2, "case": {"findings": [finding]}, "reason_1": verdict},
        {"rank": 3, "case": {"findings": [{"check": "weight", "outcome": "failed"}]}},
        {"rank": 4},
    )
    (office_list,) = office_lists(rows, DAY, SETTINGS)
    assert [row.verdicts for row in office_list.rows] == [(verdict,), (), (), ()]
    assert list_page(office_list).count(f"<bdi>{verdict}</bdi>") == 2

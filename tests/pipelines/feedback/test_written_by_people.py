"""What inspectors write into a list in their own words: results, days, prices, numbers of parcels."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from configs.reference.facts import load_reference
from pipelines.feedback.values import days_in, money_in
from tests.pipelines.list_examples import DAY
from tests.pipelines.returned_lists import NOW, Office, parcel

U, P, F = (f"result_{name}" for name in ("undervaluation", "prohibited_items", "food_safety"))


def test_a_list_in_an_inspectors_words_is_taken(office: Office) -> None:
    given = {
        1: {U: "√", P: "无异常", F: "送检", "inspected_on": "11月21日"},
        2: {U: "×", P: "没查", "inspected_on": "11/21"},
    }
    report = office.give_back(office.csv(given))
    assert report.exit_code == 0, report.lines()
    found = office.inspections()
    assert {row["inspected_on"] for row in found.values()} == {DAY + timedelta(days=1)}
    first = found[parcel(1), 1]
    assert (first["undervaluation"], first["prohibited_item"]) == (True, False)
    assert "food_safety" not in first
    assert found[parcel(2), 1]["undervaluation"] is False


def test_a_day_without_a_year_is_the_one_next_to_the_list() -> None:
    assert days_in("11月19日", near=DAY) == [date(2026, 11, 19)]
    assert days_in("1-3", near=date(2026, 12, 30)) == [date(2027, 1, 3), date(2027, 3, 1)]
    assert days_in("12月30号 下午", near=date(2027, 1, 4)) == [date(2026, 12, 30)]
    with pytest.raises(ValueError, match="expected a date"):
        days_in("2月30日", near=DAY)


@pytest.mark.parametrize(
    ("words", "currency"),
    [("5.8美元", "USD"), ("5.8 USD", "USD"), ("US$ 5.8", "USD"), ("￥5.8元", "CNY"), ("5.8港币", "HKD")],
)
def test_the_currency_of_an_amount(words: str, currency: str) -> None:
    money = money_in(words)
    assert money is not None
    assert (money.amount, money.currencies[0]) == (5.8, currency)


def test_an_amount_in_another_currency_is_converted_or_asked_about(office: Office) -> None:
    given = {
        1: {U: "found", "assessed_unit_price": "5.8美元", "recovered_tax_cny": "10 元"},
        2: {U: "found", "assessed_unit_price": "5.8 XAU"},
        3: {U: "found", "assessed_unit_price": "5.8/件"},
        5: {U: "found", "assessed_unit_price": "€5.8"},
    }
    report = office.give_back(office.csv(given))
    said = "\n".join(report.lines())
    assert "5.8 XAU cannot be converted to CNY" in said
    assert "came '5.8/件'" in said
    found = office.inspections()
    rate = load_reference().on(DAY)["exchange_rates"].filter(currency="USD")["cny_per_unit"][0]
    assert found[parcel(1), 1]["assessed_unit_price"] == pytest.approx(5.8 * rate)
    assert found[parcel(1), 1]["recovered_tax_cny"] == 10.0
    assert found[parcel(5), 1]["assessed_unit_price"] == 5.8, "as it was declared"
    assert found.keys() == {(parcel(1), 1), (parcel(5), 1)}


def test_opened_instead_takes_any_number_of_the_parcel(office: Office) -> None:
    given = {
        1: {U: "found", "opened_instead": "WP13"},
        2: {U: "found", "opened_instead": "OP12"},
        4: {U: "found", "opened_instead": "O1"},
        5: {U: "found", "opened_instead": "1.23457E+16"},
        6: {U: "found", "opened_instead": "WP06"},
    }
    report = office.give_back(office.csv(given))
    assert {key[0] for key in office.inspections()} == {"P13", "P12"}
    said = "\n".join(report.lines())
    assert "O1 is the waybill or order of 2 parcels, P13, P14: give the declaration number" in said
    assert "1.23457E+16 is a number that a spreadsheet program rounded: format the cell as text" in said
    assert "Opened instead names the listed parcel itself" in said


def test_a_sample_that_was_sent_has_no_label_until_its_answer_comes(office: Office) -> None:
    sent = office.csv({1: {P: "nothing", F: "送检"}}, name="sent.csv")
    at_once = office.give_back(sent)
    assert (at_once.exit_code, at_once.late) == (0, []), "a laboratory takes its time"
    assert office.inspections()[parcel(1), 1].get("food_safety") is None
    weeks = office.give_back(sent, now=NOW + timedelta(days=40))
    late = "the laboratory's answer is late: parcel P01, Food safety, sent on Nov 21, 2026"
    assert [line for line in weeks.lines() if "laboratory" in line] == [f"4601: {late}"]
    assert weeks.as_dict()["samples_late"] == 1
    answered = office.give_back(
        office.csv({1: {F: "不合格"}}, name="answer.csv"), now=NOW + timedelta(days=40)
    )
    assert (answered.exit_code, answered.late) == (0, [])
    assert office.inspections()[parcel(1), 1]["food_safety"] is True
    again = office.give_back(sent)
    assert (again.exit_code, again.counts["repeated"]) == (0, 1), "the old list takes nothing back"
    assert office.inspections()[parcel(1), 1]["food_safety"] is True

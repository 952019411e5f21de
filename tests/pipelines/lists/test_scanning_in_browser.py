"""A scanner is a keyboard that types a number and Enter faster than a hand."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.pipelines.lists.watched_page import Watched


def shaken(page: Page, times: int) -> None:
    """Waits until the page has been shaken so often; its policy lets no waiting script in."""
    for _ in range(100):
        if page.evaluate("shakes") == times:
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"shaken {page.evaluate('shakes')} times")


@pytest.mark.parametrize(
    ("focus", "number"),
    [
        ("body", "I0003"),
        ("[data-rank='1'] [name=note]", "WB-0000003"),
        ("[data-rank='1'] [name=inspected_on]", "00030003"),
        ("[data-rank='2'] [name=result_food_safety]", "order 3"),
        ("[data-rank='4'] .clear", "i0003"),
        ("input[name=search]", "WB-0000003"),
        ("select[name=risk]", "I0003"),
    ],
)
def test_a_scan_opens_its_row_wherever_the_focus_is(standing: Watched, focus: str, number: str) -> None:
    field = standing.page.locator(focus).first
    before = field.evaluate("it => it.value")
    field.focus()
    standing.scan(number)
    if number.startswith("00"):
        expect(standing.page.locator("#missing")).to_be_visible()
    else:
        assert standing.focused() == "I0003"
    assert field.evaluate("it => it.value") == before
    assert standing.ranks() == [1, 2, 3, 4]
    expect(standing.page.locator("output[name=done]")).to_have_text("0 of 4 filled in")


def test_a_second_scan_replaces_the_first(standing: Watched) -> None:
    search = standing.page.locator("input[name=search]")
    search.fill("mug")
    search.focus()
    standing.scan("WB-0000003")
    assert standing.focused() == "I0003"
    search.focus()
    standing.scan("WB-0000004")
    assert standing.focused() == "I0004"
    expect(search).to_have_value("")


def test_what_was_typed_into_a_field_before_a_scan_stays(standing: Watched) -> None:
    note = standing.row(1).locator("[name=note]")
    note.press_sequentially("torn", delay=0)
    standing.page.clock.run_for(200)
    standing.scan("WB-0000004")
    assert standing.focused() == "I0004"
    expect(note).to_have_value("torn")
    assert [row["note"] for row in standing.exported()["rows"]] == ["torn"]


def test_a_parcel_that_is_not_listed_is_told_over_the_whole_width_with_a_sound_and_a_shake(
    standing: Watched,
) -> None:
    page = standing.page
    page.evaluate(
        """() => {
            window.tones = window.shakes = 0;
            const start = OscillatorNode.prototype.start;
            OscillatorNode.prototype.start = function () { tones += 1; start.call(this); };
            document.addEventListener("animationstart", () => { shakes += 1; });
        }"""
    )
    standing.row(2).locator("[name=note]").focus()
    standing.scan("4609999")
    told = page.locator("#missing")
    expect(told).to_have_text("4609999 is not on this list")
    assert told.evaluate("it => it.offsetWidth") == page.evaluate("document.documentElement.clientWidth")
    shaken(page, 1)
    standing.scan("4608888")
    expect(told).to_have_text("4608888 is not on this list")
    shaken(page, 2)
    assert page.evaluate("tones") == 2
    standing.scan("I0001")
    expect(told).to_be_hidden()
    assert standing.focused() == "I0001"
    assert page.evaluate("tones") == 2


def test_a_number_typed_slowly_into_the_search_is_found_or_told_too(standing: Watched) -> None:
    search, told = standing.page.locator("input[name=search]"), standing.page.locator("#missing")
    for number, found in (("I000", ""), ("WB-7", ""), ("WB-0000004", "I0004")):
        search.focus()
        for key in number:
            standing.press(key)
        standing.press("Enter")
        if number == "I000":
            # A part of several numbers is a search.
            assert standing.focused() == "I0001"
            expect(told).to_be_hidden()
        else:
            assert standing.focused() == found
            assert told.is_visible() == (not found)
    search.fill("mug")
    standing.scan("I0001")
    assert (standing.focused(), standing.ranks()) == ("I0001", [1, 2, 3, 4])

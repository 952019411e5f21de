"""The case of a parcel within the office's page, in a real browser."""

from __future__ import annotations

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.pipelines.lists.watched_page import Watched

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def test_a_case_opens_by_key_link_and_scan_and_back_returns_to_its_row(standing: Watched) -> None:
    page, case = standing.page, standing.page.locator(".case")
    standing.row(1).locator("th").focus()
    standing.press("c")
    expect(case.locator("h1")).to_have_text("Case: parcel I0001")
    expect(case.locator("h1")).to_be_focused()
    expect(standing.row(1)).to_be_hidden()
    assert page.url == f"{standing.address}#case=I0001"
    # Keys of the list have no hold on what is not shown.
    standing.press("0")
    standing.press("j")
    expect(case.locator("h1")).to_have_text("Case: parcel I0002")
    expect(case).to_contain_text("Nothing further was kept of this parcel.")
    page.go_back()
    expect(case).to_have_count(0)
    expect(page.locator("output[name=done]")).to_have_text("0 of 4 filled in")
    assert standing.focused() == "I0002"
    standing.row(1).get_by_role("button", name="Case 1").click()
    case.get_by_role("button", name="rank 3 of this list").click()
    expect(case.locator("h1")).to_have_text("Case: parcel I0003")
    standing.scan("WB-0000004")
    expect(case).to_have_count(0)
    assert standing.focused() == "I0004"
    page.goto("about:blank")
    page.goto(f"{standing.address}#case=I0001")
    case.get_by_role("button", name="Back to the list").click()
    assert standing.focused() == "I0001"
    page.goto(f"{standing.address}#case=I9999")
    expect(page.get_by_text("I9999 is not on this list")).to_be_visible()
    expect(standing.row(1)).to_be_visible()


def test_a_case_tells_what_was_known_of_parties_prices_and_other_parcels(opened: Watched) -> None:
    page, case = opened.page, opened.page.locator(".case")
    opened.row(1).get_by_role("button", name="Case 1").click()
    rows = [" ".join(each.split()) for each in case.locator("tr").all_inner_texts()]
    for said in (
        "1 CN¥12.00 below that barcode CN¥148.00 CN¥100.00 to CN¥190.00 143 Sep 1, 2026 to Nov 18, 2026",
        "sender Lines: 40, from Sep 1, 2026 to Nov 18, 2026, worth CN¥812.50 Lines: 9, lately 0.5 a day "
        "Undervaluation: 3 of 12",
        "addressee never seen before Lines: 1 never inspected",
        "Oct 3, 2026 E0001 sender <b>toy</b> $3.00 Found: Undervaluation nothing found: Prohibited items "
        "assessed at $9.00 a unit CN¥4.20 of tax recovered goods found: drone invoiced too low",
        "I0003 WB-0000003 delivery address, addressee ceramic mug 1 CN¥20.00 rank 3 of this list",
        "X1 – order number no name declared 2 – office 5316",
    ):
        assert said in rows
    expect(case.locator(".of-row")).to_contain_text("枪")
    expect(case.locator(".of-row li", has_text="HS 9303")).to_be_visible()
    expect(case.get_by_role("heading", name="Why")).to_be_visible()
    expect(case).to_contain_text("up to the close of Nov 19, 2026. Models: Undervaluation version 7.")
    page.emulate_media(media="print")
    expect(case.locator("h1")).to_be_visible()
    expect(page.locator("main > table")).to_be_hidden()
    expect(case.get_by_role("button", name="Print this case")).to_be_hidden()


@pytest.mark.parametrize("opened", ["4601", "5316"], indirect=True)
def test_axe_finds_nothing_in_a_case(opened: Watched) -> None:
    page = opened.page
    opened.row(1).locator(".to-case").click()
    for width in (390, 1400):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response["violations"]
            assert [each["id"] for each in found if each["impact"] != "minor"] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

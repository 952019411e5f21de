"""The office's page in a real browser: what it shows, keeps and exports."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from pipelines.store.day_table import DayTable
from tests.pipelines.list_examples import DAY, HOSTILE
from tests.pipelines.lists.watched_page import Watched
from tests.pipelines.returned_lists import Office, make_store


def test_the_page_sorts_filters_and_searches(opened: Watched) -> None:
    page = opened.page
    assert opened.ranks() == [1, 2, 3, 4]
    page.locator("th[data-sort=declared] button").click()
    page.locator("th[data-sort=declared] button").click()
    assert opened.ranks() == [4, 3, 2, 1]
    assert page.locator("th[data-sort=declared]").get_attribute("aria-sort") == "descending"
    page.locator("select[name=sort]").select_option("goods")
    page.locator("input[name=reverse]").uncheck()
    assert opened.ranks()[:2] == [2, 4]
    page.locator("select[name=sort]").select_option("rank")
    page.locator("select[name=risk]").select_option("undervaluation")
    assert opened.ranks() == [1, 3]
    page.locator("select[name=risk]").select_option("")
    page.locator("select[name=chosen]").select_option("exploration")
    assert opened.ranks() == [4]
    expect(page.locator("output[name=shown]")).to_have_text("1 of 4 shown")
    page.locator("select[name=chosen]").select_option("")
    page.locator("input[name=search]").fill("玩具")
    assert opened.ranks() == [1]


def test_a_likelier_risk_is_a_longer_bar_above_that_of_the_headline(opened: Watched) -> None:
    row = opened.row(1)
    expect(row.locator("td[data-label=Risk]")).to_have_text(re.compile(r"Undervaluation\s+about 1 in 4"))
    said = [" ".join(each.split()) for each in row.locator(".chances li").all_inner_texts()]
    assert said == [
        "Food safety about 1 in 2 Line 2: never declared before",
        "Undervaluation about 1 in 4",
    ]
    parts = row.locator(".chances .part").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().width)"
    )
    assert parts[0] > 20
    assert parts[0] == pytest.approx(2 * parts[1], rel=0.02)
    expect(row.get_by_role("list", name="All chances of this parcel")).to_be_visible()
    expect(opened.row(2).locator(".chances")).to_have_count(0)


def test_a_row_shows_the_whole_parcel_and_a_result_names_its_line(opened: Watched) -> None:
    row = opened.row(1)
    parcel = row.locator("td[data-label=Parcel]")
    assert re.sub(r"\s+", " ", parcel.inner_text()).endswith(
        "Export line 1 of 2 export, express sent to Germany"
    )
    value = " ".join(row.locator("td[data-label='Value and weight']").inner_text().split())
    assert value.startswith(
        "Line 1 Declared CN¥0.00 $12.00 Reference CN¥800.00 143 lines with the same barcode Quantity"
    )
    assert value.endswith(" Quantity 3 Whole parcel Declared CN¥100.00 Gross weight 1.234 kg")
    expect(row.get_by_text("9303")).to_be_hidden()
    row.get_by_text("All lines of the parcel: 2").click()
    expect(row.locator(".lines li").nth(1)).to_have_text(re.compile(r"^2\. 枪\s*HS 9303, –, CN¥91.50$"))
    row.locator("summary", has_text="What was found").click()
    row.get_by_label("1: Found in line").select_option("2: 枪")
    assert opened.exported()["rows"] == [
        {"rank": 1, "declaration_id": "I0001", "line_no": 1, "results": {}, "found_line": 2}
    ]
    # Of one line there is nothing to choose.
    expect(opened.row(2).locator("[name=found_line]")).to_have_count(0)
    opened.page.emulate_media(media="print")
    assert opened.row(1).get_by_text("9303").evaluate("it => it.checkVisibility()")


def test_what_was_found_and_why_not_opened_are_choices(opened: Watched) -> None:
    page, row = opened.page, opened.row(2)
    page.locator("input[name=today]").fill("2026-11-21")
    expect(row.locator("[name=found_how]")).to_be_hidden()
    row.locator("button[data-key='2']").click()
    row.get_by_label("2: How it was done").select_option("hidden")
    row.get_by_label("2: Goods found").fill("watch")
    row.get_by_label("2: HS code found").fill("９102.11")
    row.get_by_label("2: Quantity found").fill("0")
    row.get_by_label("2: Number of seizure or photograph").fill("IMG_0042")
    opened.row(3).get_by_label("3: Not opened because").select_option("no time")
    opened.row(4).locator("button[data-key='0']").click()
    opened.row(4).get_by_label("4: Not opened because").select_option("released already")
    page.locator("button[name=export]").click()
    told = page.locator("#faults button")
    assert told.all_inner_texts() == [
        "2: A quantity is greater than 0. 0",
        "4: A parcel that was not opened has no result. Take one of both out. released",
    ]
    row.get_by_label("2: Quantity found").fill("3")
    opened.row(4).locator("button[data-key='x']").click()
    second, third, fourth = opened.exported()["rows"]
    assert second["results"]["prohibited_items"] == "found"
    found = {name: value for name, value in second.items() if name.startswith("found_")}
    assert found == {
        "found_how": "hidden", "found_item": "watch", "found_hs_code": "９102.11", "found_quantity": 3,
        "found_evidence": "IMG_0042",
    }  # fmt: skip
    assert (third["not_opened"], "inspected_on" in third) == ("no_time", False)
    assert (fourth["not_opened"], "inspected_on" in fourth) == ("released", False)


def test_results_outlive_a_reload_and_are_exported(opened: Watched) -> None:
    page = opened.page
    expect(page.locator("button[name=export]")).to_be_disabled()
    page.locator("input[name=today]").fill("2026-11-21")
    opened.row(2).get_by_role("group", name="2: Undervaluation").get_by_label("nothing found").check()
    opened.row(2).get_by_role("group", name="2: Food safety").get_by_label("found", exact=True).check()
    opened.row(2).get_by_label("2: Assessed price a unit (USD)").fill("12.5")
    opened.row(2).get_by_label("2: Recovered tax, CNY").fill("30")
    opened.row(2).get_by_label("2: Note").fill('Label gone, "<b>没有</b>"')
    opened.row(3).get_by_label("3: Opened instead").fill("I0004")
    opened.row(3).get_by_label("3: Why another one").fill("cleared")
    opened.row(4).get_by_role("group", name="4: Undervaluation").get_by_label("not examined").check()
    opened.row(4).locator(".clear").click()

    page.reload()

    expect(page.locator("output[name=done]")).to_have_text("2 of 4 filled in")
    expect(opened.row(2).locator("[name=result_food_safety][value=found]")).to_be_checked()
    page.locator("select[name=filled]").select_option("no")
    assert opened.ranks() == [1, 4]
    exported = opened.exported()
    assert exported.pop("exported_at").startswith("20")
    assert exported == {
        "format": "parcel-risk results 1", "list_id": "9f3c21ab77de", "customs_office": "4601", "shift": None,
        "declared_on": "2026-11-20",
        "rows": [
            {
                "rank": 2, "declaration_id": "I0002", "line_no": 1,
                "results": {"food_safety": "found", "undervaluation": "nothing"},
                "inspected_on": "2026-11-21", "assessed_unit_price": 12.5, "recovered_tax_cny": 30,
                "note": 'Label gone, "<b>没有</b>"',
            },
            {
                "rank": 3, "declaration_id": "I0003", "line_no": 1, "results": {}, "opened_instead": "I0004",
                "override_reason": "cleared",
            },
        ],
    }  # fmt: skip


def test_what_the_page_exports_comes_back_as_inspections(browser: Browser, tmp_path: Path) -> None:
    """From the page that was issued, through the file that the browser saved, into the store."""
    office = Office(make_store(tmp_path), tmp_path)
    lists = office.store.layout.partition(DayTable.LISTS, DAY)
    context = browser.new_context(timezone_id="Asia/Shanghai")
    watched = Watched(context.new_page(), (lists / "4601.html").as_uri())
    watched.page.goto(watched.address)
    watched.page.locator("input[name=today]").fill("2026-11-21")
    prohibited = watched.row(1).get_by_role("group", name="1: Prohibited items")
    prohibited.get_by_label("found", exact=True).check()
    watched.row(2).get_by_role("group", name="2: Undervaluation").get_by_label("nothing found").check()
    (tmp_path / "back.json").write_text(json.dumps(watched.exported()), encoding="utf-8")
    context.close()
    report = office.give_back(tmp_path / "back.json")
    assert report.exit_code == 0, report.lines()
    listed_at = {row["rank"]: (row["declaration_id"], row["line_no"]) for row in office.rows()}
    known = office.inspections()
    assert known.keys() == {listed_at[1], listed_at[2]}
    assert known[listed_at[1]]["prohibited_item"] is True
    assert known[listed_at[2]]["undervaluation"] is False
    assert "food_safety" not in known[listed_at[1]]


@pytest.mark.parametrize("stale", [False, True])
def test_two_tabs_do_not_undo_each_others_entries(opened: Watched, stale: bool) -> None:
    second = opened.page.context.new_page()
    second.goto(opened.address)
    if stale:
        # Browsers tell one process late of what another one has stored.
        second.evaluate("Storage.prototype.getItem = () => null")
    opened.row(1).locator("[name=note]").fill("first tab")
    second.locator("tbody[data-rank='2'] [name=note]").fill("second tab")
    opened.load_again(until=lambda: opened.page.locator("tbody.filled").count() == 2)
    assert [row.get("note") for row in opened.exported()["rows"]] == ["first tab", "second tab"]


def test_what_another_program_stored_is_told_and_takes_no_other_entry(opened: Watched) -> None:
    for rank in (1, 2):
        opened.row(rank).locator("[name=note]").fill(f"row {rank}")
    opened.page.evaluate(
        "localStorage.setItem(Object.keys(localStorage).find((key) => key.endsWith(' I0001')), '{not ours')"
    )
    expect(opened.page.locator("#forgetful")).to_be_hidden()
    opened.load_again(until=opened.page.locator("#forgetful").is_visible)
    expect(opened.page.locator("#forgetful")).to_be_visible()
    assert [row["rank"] for row in opened.exported()["rows"]] == [2]
    opened.row(1).locator("[name=note]").fill("again")
    opened.row(2).locator("button.clear").click()
    opened.load_again(until=lambda: opened.page.locator("tbody.filled").count() == 1)
    expect(opened.page.locator("#forgetful")).to_be_hidden()
    assert [row["note"] for row in opened.exported()["rows"]] == ["again"]


def test_the_keyboard_is_enough(opened: Watched) -> None:
    keys, active = opened.page.keyboard, "document.activeElement"
    keys.press("j")
    keys.press("ArrowDown")
    assert opened.page.evaluate(f"{active}.textContent") == "2"
    keys.press("k")
    keys.press("Enter")
    assert opened.page.evaluate(f"{active}.name") == "result_food_safety"
    keys.press("Space")
    keys.press("Escape")
    assert opened.page.evaluate(f"{active}.textContent") == "1"
    keys.press("/")
    keys.type("jar mug")
    assert opened.ranks() == []
    # Nobody types the next word within the time that tells a scanner's keys from a hand's.
    opened.page.wait_for_timeout(200)
    keys.press("Control+a")
    keys.type("mug")
    keys.press("Enter")
    assert opened.page.evaluate(f"{active}.textContent") == "2"
    assert list(opened.exported()["rows"][0]["results"].items()) == [("food_safety", "found")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("opened", ["4601", "5316"], indirect=True)
def test_axe_finds_nothing_moderate_or_serious(opened: Watched, scheme: Any) -> None:
    opened.page.emulate_media(color_scheme=scheme)
    opened.row(1).locator("[name=note]").fill("entered")
    opened.row(2).locator("button[data-key='2']").click()
    opened.scan("4609999")
    for width in (390, 1400):
        opened.page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(opened.page).response["violations"]
        assert [each["id"] for each in found if each["impact"] != "minor"] == []


def test_progress_and_export_stay_in_sight_and_targets_fit_a_glove(opened: Watched) -> None:
    page = opened.page
    for width in (390, 820, 1280):
        page.set_viewport_size({"width": width, "height": 700})
        opened.row(4).locator("[name=note]").scroll_into_view_if_needed()
        expect(page.locator("button[name=export]")).to_be_in_viewport(ratio=1)
        expect(page.locator("output[name=done]")).to_be_in_viewport(ratio=1)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        # On a phone the heads of columns are only read aloud.
        small = page.eval_on_selector_all(
            "button, select, summary, fieldset label, .check, input:not([type=radio], [type=checkbox])",
            """all => all.filter(each => {
                const { width, height } = each.getBoundingClientRect();
                const isHidden = each.closest("thead") && innerWidth <= 640;
                return height > 0 && (height < 44 || width < 44) && !isHidden;
            }).map(each => each.outerHTML)""",
        )
        assert small == []
        # A tablet shows a list, only a phone shows cards.
        display = page.eval_on_selector(".about", "row => getComputedStyle(row).display")
        assert (display == "table-row") == (width > 640)
        tops = [
            opened.row(1).locator(each).evaluate("it => it.offsetTop") for each in (".outcomes", ".about")
        ]
        assert tops == sorted(tops)


@pytest.mark.parametrize("opened", ["5316"], indirect=True)
def test_chinese_is_drawn_and_nothing_is_left_in_english(opened: Watched) -> None:
    # A font without these characters draws the same empty box for each.
    drawn = opened.page.evaluate(
        """() => [..."查验清单"].map(character => {
            const canvas = document.createElement("canvas");
            const pen = canvas.getContext("2d");
            pen.font = "40px " + getComputedStyle(document.body).fontFamily;
            pen.fillText(character, 5, 60);
            return canvas.toDataURL();
        })"""
    )
    assert len(set(drawn)) == 4
    assert opened.page.evaluate("document.documentElement.lang") == "zh-CN"
    opened.page.locator(".guide summary").click()
    words = opened.page.evaluate(
        """() => ["header", ".guide", ".tools", ".keys", "thead", ".entry", "footer"]
            .map(part => document.querySelector(part).innerText).join(" ")"""
    )
    for known in ("9f3c21ab77de", "Enter", "Esc", "USD", "U+202E", "X "):
        words = words.replace(known, "")
    assert not [word for word in words.split() if word.isascii() and word.isalpha() and len(word) > 1]


@pytest.mark.parametrize("opened", ["9999"], indirect=True)
def test_hostile_texts_run_nothing_and_break_nothing(opened: Watched) -> None:
    page = opened.page
    assert len(opened.ranks()) == len(HOSTILE)
    assert page.evaluate("document.images.length + document.scripts.length") == 1
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.set_viewport_size({"width": 1280, "height": 900})
    tall = page.eval_on_selector_all("tbody", "all => Math.max(...all.map(each => each.offsetHeight))")
    assert tall < 2500
    page.locator("tbody [name=note]").first.fill("</script><script>alert(1)</script>")
    page.reload()
    exported = opened.exported()
    assert exported["rows"][0]["note"] == "</script><script>alert(1)</script>"
    assert exported["customs_office"].startswith('<img src=x onerror="alert(1)">\u202e')

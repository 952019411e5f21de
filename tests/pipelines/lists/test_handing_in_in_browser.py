"""Entries outlive a list that is issued again; what `feedback` would refuse is told before the export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.pipelines.lists.watched_page import Watched


def _other_list(opened: Watched, folder: Path, name: str, **changed: str) -> Page:
    """The page with other words in it, in another tab of the same browser."""
    content = (folder / "4601.html").read_text(encoding="utf-8")
    for old, new in changed.items():
        content = content.replace(
            {"list_id": "9f3c21ab77de", "day": "2026-11-20", "parcel": "I0003"}[old], new
        )
    (folder / name).write_text(content, encoding="utf-8")
    page = opened.page.context.new_page()
    page.goto((folder / name).as_uri())
    return page


def test_a_list_that_is_issued_again_takes_over_what_was_entered_and_says_so(
    opened: Watched, folder: Path
) -> None:
    for rank in (1, 3):
        opened.row(rank).locator("[name=note]").fill(f"row {rank}")
    # The third parcel is no longer listed.
    page = _other_list(opened, folder, "again.html", list_id="000000000000", parcel="I0009")
    expect(page.locator("#taken-over")).to_contain_text("taken over: 1 (I0001).")
    expect(page.locator("#left-behind")).to_contain_text("you filled in results: I0003.")
    expect(page.locator("output[name=done]")).to_have_text("1 of 4 filled in")
    exported = Watched(page, "").exported()
    assert (exported["list_id"], [row["note"] for row in exported["rows"]]) == ("000000000000", ["row 1"])
    with page.expect_download() as download:
        page.locator("#left-behind button").click()
    rest = json.loads(Path(download.value.path()).read_text(encoding="utf-8"))
    assert rest["list_id"] == "9f3c21ab77de"
    assert rest["rows"] == [
        {"rank": 3, "declaration_id": "I0003", "line_no": 1, "results": {}, "note": "row 3"}
    ]
    page.get_by_role("button", name="It holds").click()
    expect(page.locator("#taken-over")).to_be_hidden()
    page.reload()
    expect(page.locator("#taken-over")).to_be_hidden()
    expect(page.locator("tbody[data-rank='1'] [name=note]")).to_have_value("row 1")


def test_the_list_of_another_day_has_entries_of_its_own(opened: Watched, folder: Path) -> None:
    opened.row(1).locator("[name=note]").fill("mine")
    page = _other_list(opened, folder, "other.html", list_id="000000000000", day="2026-11-22")
    expect(page.locator("output[name=done]")).to_have_text("0 of 4 filled in")
    expect(page.locator("#left-behind")).to_be_hidden()


def test_what_a_page_of_before_kept_is_taken_over(opened: Watched) -> None:
    opened.page.evaluate("localStorage.setItem('parcel-risk 9f3c21ab77de 2', '{\"note\": \"old\"}')")
    note = opened.row(2).locator("[name=note]")
    opened.load_again(until=lambda: note.input_value() == "old")
    expect(note).to_have_value("old")
    expect(opened.page.locator("#taken-over")).to_be_hidden()
    opened.row(2).locator(".clear").click()
    opened.page.reload()
    expect(opened.page.locator("output[name=done]")).to_have_text("0 of 4 filled in")


@pytest.mark.parametrize(
    ("field", "wrong", "told"),
    [
        ("assessed_unit_price", "-1", "A price is greater than 0."),
        ("assessed_unit_price", "0", "A price is greater than 0."),
        ("recovered_tax_cny", "-0.5", "A tax is not less than 0."),
        ("inspected_on", "2026-11-19", "This day is before the declaration."),
        ("inspected_on", "2026-11-22", "This day is yet to come."),
        ("opened_instead", "i0002", "Opened instead is this parcel itself."),
    ],
)
def test_what_feedback_would_refuse_is_told_before_it_is_exported(
    standing: Watched, field: str, wrong: str, told: str
) -> None:
    field_of_row = standing.row(2).locator(f"[name={field}]")
    field_of_row.fill(wrong)
    standing.page.locator("button[name=export]").click()
    standing.page.locator("#faults").get_by_role("button", name=f"2: {told}").click()
    expect(field_of_row).to_be_focused()
    field_of_row.fill("")
    standing.row(2).locator("[name=note]").fill("right")
    assert [row["note"] for row in standing.exported()["rows"]] == ["right"]
    expect(standing.page.locator("#faults")).to_be_hidden()


def test_a_parcel_that_is_not_listed_is_asked_for_once(standing: Watched) -> None:
    standing.row(2).locator("[name=opened_instead]").fill("wb-0000003")
    assert standing.exported()["rows"][0]["opened_instead"] == "wb-0000003"
    standing.row(2).locator("[name=opened_instead]").fill("WB-9")
    standing.page.locator("button[name=export]").click()
    expect(standing.page.locator("#faults")).to_contain_text("2: Opened instead is not on this list.")
    assert standing.exported()["rows"][0]["opened_instead"] == "WB-9"
    expect(standing.page.locator("#faults")).to_be_hidden()

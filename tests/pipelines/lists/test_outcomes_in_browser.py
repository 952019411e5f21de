"""One key or button a parcel: what it enters, what it leaves open, and how it is taken back."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from pipelines.lists.write import write_lists
from tests.pipelines.list_examples import DAY, SETTINGS, listed
from tests.pipelines.lists.watched_page import Watched

NOTHING = {"food_safety": "not_examined", "prohibited_items": "nothing", "undervaluation": "not_examined"}


def test_a_morning_of_twenty_parcels_takes_forty_keys_beside_the_scans(
    browser: Browser, tmp_path: Path
) -> None:
    rows = ({"waybill_id": f"WB-{place:07d}"} for place in range(1, 21))
    write_lists(tmp_path, listed(rows), DAY, SETTINGS)
    context = browser.new_context(timezone_id="Asia/Shanghai")
    page = context.new_page()
    page.clock.install(time="2026-11-21T08:59:00+08:00")
    page.clock.pause_at("2026-11-21T09:00:00+08:00")
    watched = Watched(page, (tmp_path / "4601.html").as_uri())
    page.goto(watched.address)
    keys, found = 0, {4: "1", 11: "2", 17: "3"}
    # Parcels come off the belt in any order.
    for place in (7 * each % 20 + 1 for each in range(20)):
        watched.scan(f"WB-{place:07d}")
        assert watched.focused() == f"I{place:04d}"
        watched.press(found.get(place, "0"))
        keys += 1
    exported = watched.exported()["rows"]
    context.close()
    assert keys <= 40
    assert [row["rank"] for row in exported] == list(range(1, 21))
    assert {row["inspected_on"] for row in exported} == {"2026-11-21"}
    risks = dict(zip("123", NOTHING, strict=True))
    for row in exported:
        key = found.get(row["rank"])
        assert row["results"] == ({risks[key]: "found"} if key else NOTHING)


def _entry(watched: Watched, rank: int) -> dict[str, str]:
    entry: dict[str, str] = watched.page.evaluate(
        "form => Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''))",
        watched.row(rank).locator("form.fields").element_handle(),
    )
    return {name.removeprefix("result_"): value for name, value in entry.items()}


def test_a_key_answers_leads_on_and_is_taken_back(standing: Watched) -> None:
    page: Page = standing.page
    expect(page.locator("button[name=undo]")).to_be_disabled()
    # Without a parcel in focus a key says nothing.
    standing.press("0")
    expect(page.locator("output[name=done]")).to_have_text("0 of 4 filled in")
    standing.scan("I0001")
    standing.press("0")
    assert standing.focused() == "I0002"
    assert _entry(standing, 1) == NOTHING | {"inspected_on": "2026-11-21"}
    expect(standing.row(1).locator("[data-key='0']")).to_have_attribute("aria-pressed", "true")
    standing.press("x")
    assert _entry(standing, 2) == dict.fromkeys(NOTHING, "not_examined")
    standing.press("2")
    assert _entry(standing, 3) == {"prohibited_items": "found", "inspected_on": "2026-11-21"}
    standing.row(4).locator("[name=note]").press_sequentially("torn")
    page.clock.run_for(200)
    page.locator("h1").click()
    # What was typed into a field goes at once, then one key after the other.
    for rank, left in ((4, {}), (3, {}), (2, {}), (1, {})):
        standing.press("u")
        assert _entry(standing, rank) == left
        assert standing.focused() == f"I000{rank}"
    expect(page.locator("button[name=undo]")).to_be_disabled()
    expect(page.locator("output[name=done]")).to_have_text("0 of 4 filled in")


def test_buttons_do_what_keys_do_and_keep_what_somebody_looked_at(standing: Watched) -> None:
    row = standing.row(2)
    row.locator("[name=result_undervaluation][value=nothing]").check()
    row.locator("[name=result_food_safety][value=sent]").check()
    row.get_by_role("button", name="Nothing found").click()
    looked_at = {"food_safety": "sent", "prohibited_items": "nothing", "undervaluation": "nothing"}
    assert _entry(standing, 2) == looked_at | {"inspected_on": "2026-11-21"}
    assert standing.focused() == "I0003"
    row.get_by_role("button", name="Clear").click()
    assert _entry(standing, 2) == {}
    standing.page.locator("button[name=undo]").click()
    assert _entry(standing, 2) == looked_at | {"inspected_on": "2026-11-21"}
    row.get_by_role("button", name="Found: Prohibited items").click()
    assert _entry(standing, 2)["prohibited_items"] == "found"

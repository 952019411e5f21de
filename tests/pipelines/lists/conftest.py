"""The pages of three offices, each opened in a fresh context of the browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route

from pipelines.lists.write import write_lists
from tests.pipelines.list_examples import DAY, SETTINGS, TWO_LINES, hostile, listed
from tests.pipelines.lists.watched_page import Watched

# The first parcel is listed for undervaluation, whose finding is worth more.
CHANCES = [
    {"risk": "food_safety", "line_no": 2, "probability": 0.5, "reason_1": "never declared before"},
    {"risk": "undervaluation", "line_no": 1, "probability": 0.25, "reason_1": "CNY 12.0/kg declared"},
]
CASE = {
    "history_day": DAY - timedelta(days=1),
    "complete": True,
    "models": [{"risk": "undervaluation", "version": "7"}],
    "parties": [
        {"party": "seller", "lines": 40, "first_day": date(2026, 9, 1), "last_day": date(2026, 11, 18),
         "value_cny": 812.5, "lines_today": 9, "usual_lines": 0.52,
         "results": [{"label": "undervaluation", "inspected": 12, "findings": 3}]},
        {"party": "buyer", "lines": 0, "lines_today": 1},
    ],
    "prices": [
        {"line_no": 1, "level": "barcode", "lines": 143, "first_day": date(2026, 9, 1),
         "last_day": date(2026, 11, 18), "low": 100.0, "median": 148.0, "high": 190.0,
         "unit_price_cny": 12.0},
    ],
    "earlier": [
        {"declaration_id": "E0001", "line_no": 2, "declared_on": date(2026, 10, 3), "by": ["seller"],
         "item_name": "<b>toy</b>", "unit_price": 3.0, "currency": "USD", "reported_on": date(2026, 10, 9),
         "examined": ["prohibited_item", "undervaluation"], "found": ["undervaluation"],
         "assessed_unit_price": 9.0, "recovered_tax_cny": 4.2, "found_item": "drone",
         "found_how": "under_invoiced"},
    ],
    "earlier_parcels": 12,
    "companions": [
        {"declaration_id": "I0003", "waybill_id": "WB-0000003", "customs_office": "4601",
         "by": ["address", "buyer"], "item_name": "ceramic mug", "lines": 1, "total_cny": 20.0},
        {"declaration_id": "X1", "customs_office": "5316", "by": ["order"], "lines": 2},
    ],
    "companion_parcels": 2,
}  # fmt: skip
GOODS = ("儿童玩具", "ceramic mug", "おもちゃ箱", "phone case")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """4601.html, and hostile texts as 9999.html; 5316.html is Chinese."""
    folder = tmp_path_factory.mktemp("lists")
    rows = [
        {
            "item_name": goods, "list_id": "9f3c21ab77de", "risk": risk, "selection": selection,
            "waybill_id": f"WB-{place + 1:07d}", "order_id": f"Order {place + 1}",
            "total_price_cny": 100.0 * place, "currency": "USD", "total_price": 12.0,
            "chances": CHANCES if place == 0 else None, "lines": TWO_LINES if place == 0 else None,
            "case": CASE if place == 0 else None,
            "direction": "export" if place == 0 else "import", "destination_country": "Germany",
            "trade_mode": "express", "expected_price_basis": "143 lines with the same barcode",
        }
        for place, (goods, risk, selection) in enumerate(
            zip(
                GOODS,
                ("undervaluation", "food_safety", "undervaluation", "prohibited_items"),
                ("risk", "random", "risk", "exploration"),
                strict=True,
            )
        )
    ]  # fmt: skip
    write_lists(folder, listed(rows), DAY, SETTINGS)
    chinese = SETTINGS.model_copy(update={"capacity": SETTINGS.capacity.speaking(("zh-CN", ()))})
    write_lists(folder, listed({**row, "customs_office": "5316"} for row in rows), DAY, chinese)
    office = '<img src=x onerror="alert(1)">\u202e' + "W" * 300
    table = hostile().with_columns(customs_office=hostile()["customs_office"].replace("4601", office))
    written = write_lists(folder / "hostile", table, DAY, SETTINGS)
    (page,) = (path for path in written if path.suffix == ".html")
    page.rename(folder / "9999.html")
    return folder


@pytest.fixture
def opened(browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Watched]:
    """The page of an office, 4601 unless the test names another; afterwards nothing may have gone wrong."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Asia/Shanghai")
    page = context.new_page()
    watched = Watched(page, (folder / f"{getattr(request, 'param', '4601')}.html").as_uri())

    def answer(route: Route) -> None:
        watched.requests.append(route.request.url)
        route.continue_()

    page.route("**/*", answer)
    page.on("pageerror", lambda error: watched.wrongs.append(str(error)))
    page.on("dialog", lambda dialog: (watched.wrongs.append(dialog.message), dialog.dismiss()))
    page.on("console", lambda message: watched.wrongs.append(message.text))
    page.add_init_script(
        "window.blocked = []; "
        "addEventListener('securitypolicyviolation', event => blocked.push(event.violatedDirective))"
    )
    page.goto(watched.address)
    yield watched
    assert page.evaluate("blocked") == []
    assert watched.wrongs == []
    assert {url for url in watched.requests if not url.startswith("blob:")} == {watched.address}
    context.close()


@pytest.fixture
def standing(opened: Watched) -> Watched:
    """The page with a clock that stands unless a test moves it, however slow the machine is."""
    opened.page.clock.install(time="2026-11-21T08:59:00+08:00")
    opened.page.clock.pause_at("2026-11-21T09:00:00+08:00")
    opened.page.reload()
    return opened

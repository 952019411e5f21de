"""What every page of a report has to be: accessible on a phone and a screen, and whole on paper."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_WIDTHS = (390, 1400)
# A4 less the margins of the pages, at 96 pixels an inch.
_PAPER = 700


def faults_of(browser: Browser, path: Path) -> list[str]:
    """Findings of axe that are at least moderate, and what is wider than screen or paper."""
    # Axe is run in the page, whose policy lets no script in.
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(path.as_uri())
        page.eval_on_selector_all("details", "all => all.forEach(each => { each.open = true; })")
        return [*_on_screens(page), *_on_paper(page)]


def _on_screens(page: Page) -> Iterator[str]:
    for scheme in _SCHEMES:
        page.emulate_media(color_scheme=scheme)
        for width in _WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth") > width:
                yield f"wider than {width} px"
            found = Axe().run(page).response["violations"]
            yield from (f"{each['id']}, {scheme}, {width} px" for each in found if each["impact"] != "minor")


def _on_paper(page: Page) -> Iterator[str]:
    page.emulate_media(media="print", color_scheme="light")
    page.set_viewport_size({"width": _PAPER, "height": 900})
    for words in page.eval_on_selector_all(
        "table, svg, pre, img",
        "(all, width) => all.filter(each => each.getBoundingClientRect().right > width + 1)"
        ".map(each => each.textContent.slice(0, 60))",
        _PAPER,
    ):
        yield f"cut off on paper: {words}"
    clipped = page.eval_on_selector_all(
        ".scroll", "all => all.filter(each => getComputedStyle(each).overflowX !== 'visible').length"
    )
    if clipped:
        yield f"{clipped} regions scroll on paper"

"""An office's page as a test watches it in the browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page


@dataclass
class Watched:
    """A page, and what it did that it should not."""

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    wrongs: list[str] = field(default_factory=list)

    def ranks(self) -> list[int]:
        """The parcels that are shown, in their order on the page."""
        shown: list[str] = self.page.eval_on_selector_all(
            "tbody:not([hidden])", "parcels => parcels.map(each => each.dataset.rank)"
        )
        return [int(rank) for rank in shown]

    def row(self, rank: int) -> Any:
        """The parcel with this rank."""
        return self.page.locator(f"tbody[data-rank='{rank}']")

    def load_again(self, until: Callable[[], bool]) -> None:
        """Load the page again, and once more while it does not know what was stored: a browser under load
        hands over a moment later what something else than the page stored.
        """
        for _ in range(6):
            self.page.reload()
            if until():
                break
            self.page.wait_for_timeout(200)

    def exported(self) -> Any:
        """What the button exports."""
        with self.page.expect_download() as download:
            self.page.locator("button[name=export]").click()
        assert download.value.suggested_filename.endswith(".json")
        return json.loads(Path(download.value.path()).read_text(encoding="utf-8"))

    def scan(self, number: str) -> None:
        """A scanner types faster than anybody: here in no time at all, once the clock of the page stands."""
        self.page.keyboard.type(number)
        self.page.keyboard.press("Enter")

    def press(self, key: str) -> None:
        """One key, and time enough to see that no other follows at a scanner's pace."""
        self.page.keyboard.press(key)
        self.page.clock.run_for(200)

    def focused(self) -> str:
        """The parcel in which the focus is."""
        parcel: str | None = self.page.evaluate(
            "document.activeElement.closest('tbody')?.dataset.declaration"
        )
        return parcel or ""

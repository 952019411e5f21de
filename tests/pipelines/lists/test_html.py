from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

from lxml import html

from features.text.visible import visible_text
from pipelines.lists.parcel import CODE_CHARACTERS, TEXT_CHARACTERS
from pipelines.lists.write import write_lists
from tests.pipelines.list_examples import DAY, HOSTILE, SETTINGS, hostile, listed


def test_hostile_names_are_text_on_the_page(tmp_path: Path) -> None:
    write_lists(tmp_path, hostile(), DAY, SETTINGS)
    page: Any = html.fromstring((tmp_path / "4601.html").read_bytes())
    rows = page.xpath("//tbody")
    assert len(rows) == len(HOSTILE)
    for row, text in zip(rows, HOSTILE, strict=True):
        assert row.xpath("string(.//div[@class='name'])") == visible_text(text, TEXT_CHARACTERS)
        assert row.xpath("string(.//div[@class='id'])") == visible_text(text, CODE_CHARACTERS)
        assert [len(each.xpath("./td")) for each in row.xpath("./tr")] == [1, 5, 1]
    assert len(page.xpath("//script")) == 1
    assert not page.xpath("//img | //link | //iframe | //a | //*[@src] | //*[@href] | //*[@style]")
    assert not page.xpath("//@*[starts-with(name(), 'on')]")


def test_the_page_allows_its_own_style_and_script_and_nothing_else(tmp_path: Path) -> None:
    write_lists(tmp_path, listed([{}]), DAY, SETTINGS)
    page: Any = html.fromstring((tmp_path / "4601.html").read_bytes())
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules == {
        "default-src": "'none'",
        "style-src": f"'{_fingerprint(page.findtext('.//style'))}'",
        "script-src": f"'{_fingerprint(page.findtext('.//script'))}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert page.get("lang") == "en"
    assert page.xpath("//div[@class='name']/bdi/@lang") == ["zh"]
    assert not re.search(r"https?://", (tmp_path / "4601.html").read_text(encoding="utf-8"))


def _fingerprint(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

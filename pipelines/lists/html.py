"""An office's list as one self-contained page: to read, to search, to fill in, to print."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache, partial
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from configs.language import Language
from features.contract.result_words import RESULT_WORDS
from models.report.page import fingerprint, packaged_text, page_environment
from pipelines.lists.fields import JSON_FORMAT, Document, Field, entry_fields, fields_of, result_field
from pipelines.lists.office_list import OfficeList
from pipelines.lists.parcel import CHOSEN

_UNKNOWN = "–"
_TEMPLATE = "office_list.html.j2"
_STYLES = ("office_list.css", "case.css")
_SCRIPTS = ("scanning.js", "outcomes.js", "kept.js", "handing_in.js", "cases.js", "office_list.js")
SORT_KEYS = {
    "rank": "rank",
    "declaration": "parcel",
    "waybill": "waybill",
    "goods": "goods as declared",
    "declared": "declared value",
    "shortfall": "reference value above the declared one",
    "weight": "gross weight",
    "risk": "risk",
    "probability": "chance",
    "expected": "expected value",
}
"""What the page can be sorted by: key in the page, and its name."""


def list_page(office_list: OfficeList) -> str:
    """The page as text to be written in UTF-8; the same list gives the same text.

    Style and script are inside, and its Content-Security-Policy allows these two and nothing else, so that
    declared text could neither run nor load anything even if it came through as markup. What is filled in
    stays in the browser's storage under the list's number until it is exported as a file.
    """
    style, script = (
        "".join(packaged_text("pipelines.lists", name) for name in names) for names in (_STYLES, _SCRIPTS)
    )
    policy = (
        f"default-src 'none'; style-src '{fingerprint(style)}'; script-src '{fingerprint(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    words = office_list.language
    selections = list(dict.fromkeys((row.selection, row.values["selection"]) for row in office_list.rows))
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            list=office_list,
            style=Markup(style),
            script=Markup(script),
            policy=policy,
            _=words,
            result_words={value: words(word) for value, word in RESULT_WORDS.items()},
            result_field=result_field,
            heading={field.name: words(field.heading) for field in fields_of() if field.heading},
            entry_fields=entry_fields(),
            further_fields=_further_fields(),
            selections=sorted(selections, key=lambda each: [*CHOSEN, each[0]].index(each[0])),
            sort_keys={key: words(name) for key, name in SORT_KEYS.items()},
            rank_of={row.values["declaration_id"]: row.values["rank"] for row in office_list.rows},
            about=_about(office_list),
            **_formatters(words),
        )
    )


def _further_fields() -> list[Field]:
    """Fields of the page to which its template gives no place of their own."""
    placed = set(re.findall(r"values\.(\w+)", packaged_text("pipelines.lists", _TEMPLATE)))
    shown = fields_of("selection", "declaration", "night", within=Document.PAGE)
    return [field for field in shown if field.name not in placed]


def _about(office_list: OfficeList) -> str:
    """What the exported file says of the list, as JSON for the script."""
    return json.dumps(
        {
            "format": JSON_FORMAT,
            "list_id": office_list.list_id,
            "customs_office": office_list.office,
            "shift": office_list.shift,
            "declared_on": office_list.day.isoformat(),
            "results": [
                {"name": result_field(guide.risk), "seen": guide.seen} for guide in office_list.results
            ],
        }
    )


@cache
def _environment() -> Environment:
    return page_environment("pipelines.lists", {"raw_number": _raw_number})


def _formatters(words: Language) -> dict[str, Callable[..., Any]]:
    return {
        "number": partial(_known, words.number),
        "shown": lambda value: value if isinstance(value, str) else _known(words.number, value),
        "cny": partial(_known, lambda value: words.money(value, "CNY")),
        "money": lambda value, currency: _known(lambda known: words.money(known, currency), value),
    }


def _known(say: Callable[[float], str], value: float | None) -> str:
    return _UNKNOWN if value is None else say(value)


def _raw_number(value: float | None) -> str:
    """For the script to sort by; empty where unknown."""
    return "" if value is None else repr(float(value))

"""An office's list as one page that needs nothing but itself: no request leaves it, and it can be printed."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment
from markupsafe import Markup

from models.page import fingerprint, packaged_text, page_environment
from pipelines.office_list import OfficeList
from pipelines.report_xlsx import RESULTS

_UNKNOWN = "—"


def page(office_list: OfficeList) -> str:
    """The page as text to be written in UTF-8; the same list gives the same text.

    Style and script are inside, and its Content-Security-Policy allows these two and nothing else, so that
    declared text could neither run nor load anything even if it came through as markup.
    """
    environment = _environment()
    style, script = (packaged_text(environment, f"office_list.{kind}") for kind in ("css", "js"))
    policy = (
        f"default-src 'none'; style-src '{fingerprint(style)}'; script-src '{fingerprint(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("office_list.html.j2").render(
        list=office_list, style=Markup(style), script=Markup(script), policy=policy, results=RESULTS
    )


@cache
def _environment() -> Environment:
    filters = {"cny": _cny, "money": _money, "number": _number, "raw_number": _raw_number}
    return page_environment("pipelines", filters)


def _money(value: float | None) -> str:
    return _UNKNOWN if value is None else f"{value:,.2f}"


def _cny(value: float | None) -> str:
    return _UNKNOWN if value is None else f"CNY {value:,.2f}"


def _number(value: float | None) -> str:
    """Up to three decimals, none that say nothing."""
    return _UNKNOWN if value is None else f"{value:,.3f}".rstrip("0").rstrip(".")


def _raw_number(value: float | None) -> str:
    """For the script to sort by; empty where unknown."""
    return "" if value is None else repr(float(value))

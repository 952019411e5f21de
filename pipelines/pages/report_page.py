"""The skeleton of the reports' pages: one file with its style inside, from which no request leaves."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from models.report.page import fingerprint, packaged_text


def styled_page(environment: Environment, template: str, **content: Any) -> str:
    """Return a page of the reports as text to be written in UTF-8; the same content gives the same text.

    Its Content-Security-Policy allows the reports' style sheet and nothing else.
    """
    style = packaged_text("pipelines.pages", "report.css")
    policy = f"default-src 'none'; style-src '{fingerprint(style)}'; base-uri 'none'; form-action 'none'"
    return environment.get_template(template).render(**content, style=Markup(style), policy=policy)

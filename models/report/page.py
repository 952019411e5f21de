"""What self-contained pages have in common: templates that escape, packaged style and script, and what a
Content-Security-Policy allows by fingerprint."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def page_environment(package: str, filters: Mapping[str, Callable[..., Any]]) -> Environment:
    """The templates of `package` (its folder `templates`): everything is escaped, nothing may be missing."""
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(filters)
    return environment


def packaged_text(environment: Environment, name: str) -> str:
    """A file that lies beside the templates, such as a style sheet, as it is.

    Raises TemplateNotFound where there is none.
    """
    if environment.loader is None:
        raise RuntimeError("the environment of the page has no templates")
    return environment.loader.get_source(environment, name)[0]


def fingerprint(text: str) -> str:
    """How a Content-Security-Policy names a style or script that a page holds.

    >>> fingerprint("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

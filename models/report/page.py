"""What self-contained pages have in common: templates that escape, packaged style and script, and what a
Content-Security-Policy allows by fingerprint.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from importlib.resources import files
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


def packaged_text(package: str, name: str) -> str:
    """Return a file beside the templates of `package`, such as a style sheet, as it is."""
    return (files(package) / "templates" / name).read_text("utf-8")


def fingerprint(text: str) -> str:
    """How a Content-Security-Policy names a style or script that a page holds.

    >>> fingerprint("")
    'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
    """
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")

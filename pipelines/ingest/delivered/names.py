"""Names of files: which nobody means, and how any of them is shown."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

# What editors, systems and transfers leave beside the files that somebody means.
_LEFTOVER: Final = re.compile(
    r"__macosx|~\$.*|\.~lock\..*|\._.*|\.ds_store|thumbs\.db|desktop\.ini"
    r"|.*\.(part|partial|filepart|crdownload|tmp|swp)",
    re.IGNORECASE,
)


def is_leftover(name: str) -> bool:
    """Whether a file of this name is nothing that somebody wants taken in.

    >>> is_leftover("~$list.xlsx"), is_leftover("list.xlsx"), is_leftover("inventories.xml.part")
    (True, False, True)
    """
    return _LEFTOVER.fullmatch(name) is not None


def printable(path: Path | str) -> str:
    r"""A path as it can be shown and stored whatever its bytes are.

    >>> printable(os.fsdecode(b"\xb9\xe3.csv")), printable("a\x1b[2J.csv")
    ('\\xb9\\xe3.csv', 'a\\x1b[2J.csv')
    """
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)

"""Takes identity numbers and mobile numbers out of what is logged.

No message of this program quotes identity data; this is the net under those that pass on a third party's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

_MASK: Final = "[masked]"
_IDENTITY_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z])[1-9]\d{16}[0-9Xx](?![0-9A-Za-z])")
_MOBILE_NUMBER: Final = re.compile(r"(?<![0-9A-Za-z.])(?:\+?86[- ]?)?1[3-9]\d{9}(?![0-9A-Za-z])")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS: Final = "10X98765432"


def mask_identity(text: str) -> str:
    """Return `text` without Chinese identity numbers and mobile numbers.

    Only a number with a valid date and check character counts as an identity number (GB 11643-1999), so
    inventory numbers, which are as long, stay legible.

    >>> mask_identity("inventory 310120261120000001, holder 11010519491231002X, 13800138000")
    'inventory 310120261120000001, holder [masked], [masked]'
    """
    text = _IDENTITY_NUMBER.sub(lambda match: _MASK if _is_identity_number(match[0]) else match[0], text)
    return _MOBILE_NUMBER.sub(_MASK, text)


def mask_texts(value: object) -> object:
    """Return a value for JSON with every text in it masked.

    A number stays as it is: only text can be an identity, and a mask in its place would break the JSON.
    """
    if isinstance(value, str):
        return mask_identity(value)
    if isinstance(value, Mapping):
        return {key: mask_texts(item) for key, item in value.items()}
    return [mask_texts(item) for item in value] if isinstance(value, list | tuple) else value


def _is_identity_number(number: str) -> bool:
    try:
        datetime.strptime(number[6:14], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number[:17], strict=True))
    return _CHECK_CHARACTERS[total % 11] == number[17].upper()

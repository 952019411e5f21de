"""Takes identity numbers, telephones, and passwords of addresses out of what is logged.

No message of this program quotes identity data; this is the net under those that pass on a third party's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from models.tracking.addresses import without_secrets
from pipelines.privacy.person_numbers import Span, number_spans

MASK: Final = "[masked]"


def mask_identity(text: str) -> str:
    """Return `text` without identity numbers and telephones.

    Only a number with a valid date and check character counts as an identity number (GB 11643-1999), so
    inventory numbers, which are as long, stay legible.

    >>> mask_identity("inventory 310120261120000001, holder 11010519491231002X, 138 0013 8000")
    'inventory 310120261120000001, holder [masked], [masked]'
    """
    return masked_at(text, number_spans(text, sure=True))


def masked_line(text: str) -> str:
    """Return a line for a log without identity numbers, telephones, and passwords of addresses.

    >>> masked_line("no answer from postgresql://ana:secret@host/db")
    'no answer from postgresql://host/db'
    """
    return mask_identity(without_secrets(text))


def mask_texts(value: object) -> object:
    """Return a value for JSON with every text in it masked.

    A number stays as it is: only text can be an identity, and a mask in its place would break the JSON.
    """
    if isinstance(value, str):
        return masked_line(value)
    if isinstance(value, Mapping):
        return {key: mask_texts(item) for key, item in value.items()}
    return [mask_texts(item) for item in value] if isinstance(value, list | tuple) else value


def masked_at(text: str, spans: Sequence[Span]) -> str:
    """The text with `MASK` in the place of each span; they ascend and lie apart."""
    ends = [0, *(end for _, end in spans)]
    parts = [text[end:first] for end, (first, _) in zip(ends, spans, strict=False)]
    return MASK.join([*parts, text[ends[-1] :]])

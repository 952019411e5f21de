"""The base of every configuration object, and the field types that they share."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints


class Frozen(BaseModel):
    """A configuration object: immutable, and a key that it does not know is an error.

    Mappings inside are ordinary dicts, because they have to cross process borders; treat them as read-only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


def _whole_number_as_text(value: object) -> object:
    """Codes look like numbers in YAML, so 4601 is read as "4601"; anything else is left to the type."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name that becomes part of a column name: small letters, digits, underscores."""

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""Words for a person: not empty."""

Code = Annotated[str, BeforeValidator(_whole_number_as_text)]
"""A code as data has it; a whole number in YAML is taken as its digits."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]

"""What all models that read a line's words have in common, worked out when the first of them asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from features.arrays.hashing import text_hashes
from features.arrays.types import UInt64Array
from features.prepare import item_key
from models.text.grams import Grams, declared_text

_ITEM_KEY = "_item_key"


@dataclass(frozen=True)
class DeclaredTexts:
    """Names and models of the lines of a frame, which may lack the columns; prepared lines have their
    `_item_key` already.
    """

    frame: pl.DataFrame

    @cached_property
    def grams(self) -> Grams:
        """The grams of name and model."""
        return Grams.of(self.frame)

    @cached_property
    def names(self) -> UInt64Array:
        """A hash of the name as `features.prepare.item_key` reduces it (lines,), 0 where there is none."""
        if _ITEM_KEY in self.frame.columns:
            return text_hashes(self.frame[_ITEM_KEY])
        return text_hashes(item_key(declared_text(self.frame)["item_name"]))

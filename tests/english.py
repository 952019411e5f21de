"""Finds English in what a Chinese office reads."""

from __future__ import annotations

import re

_WORDS = re.compile("[a-z]{2,} [a-z]{2,}")


def english_in(*texts: str) -> list[str]:
    """The lines that have two English words in a row, those of style and markup left out."""
    shown = (re.sub(r"<style>.*?</style>|<[^>]*>", "\n", text, flags=re.DOTALL) for text in texts)
    return [line for text in shown for line in text.splitlines() if _WORDS.search(line)]

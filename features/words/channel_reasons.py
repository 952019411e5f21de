"""Why a parcel stands on a list that risk alone did not put there."""

from __future__ import annotations

from datetime import date

from configs.language import ENGLISH, Language
from features.text.visible import visible_text
from features.words.chance import chance_in_words


def exploration_reason(probability: float, language: Language = ENGLISH) -> str:
    """Return the first reason of a parcel that was drawn to learn from.

    >>> exploration_reason(0.08)
    'drawn to learn from: the model is unsure, and little like it was inspected; its chance was about 1 in 12'
    """
    return language(
        "drawn to learn from: the model is unsure, and little like it was inspected; its chance was {chance}",
        chance=chance_in_words(probability, language),
    )


def must_inspect_reason(kind: str, since: date, reason: str, language: Language = ENGLISH) -> str:
    """Return the first reason of a parcel that a rule or a referral wants opened.

    >>> must_inspect_reason("rule", date(2026, 11, 1), "live beetles in October")
    'on the watch list since 2026-11-01: live beetles in October'
    """
    why = visible_text(reason, language=language)
    if kind == "rule":
        return language("on the watch list since {day}: {reason}", day=since.isoformat(), reason=why)
    return language("referred by another service since {day}: {reason}", day=since.isoformat(), reason=why)

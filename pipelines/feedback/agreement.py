"""Which returns of a parcel agree, and what they tell together."""

from __future__ import annotations

import math

from features.contract.result_words import ResultValue
from pipelines.feedback.entries import UNANSWERED, Entries, outcome_fields
from pipelines.lists.fields import result_field

_SAME = 1e-9


def contradictions(before: Entries, now: Entries) -> dict[str, tuple[object, object]]:
    """Return the fields in which a row differs from earlier returns of its parcel, with both values.

    What was left empty, or not examined, may be filled in later. Another day of inspection contradicts only
    where nothing new is said that could belong to it. Text never does.
    """
    conflicts: dict[str, tuple[object, object]] = {}
    for risk, value in now.results.items():
        known = before.results.get(risk)
        if not (known in (None, value, *UNANSWERED) or value == "sent"):
            conflicts[result_field(risk)] = (known, value)
    for name in ("found_line", *(each.name for each in outcome_fields() if each.kind != "text")):
        old, new = before[name], now[name]
        if old is not None and new is not None and not _is_same(old, new):
            conflicts[name] = (old, new)
    if before.is_inspection and before.has_outcome and not now.is_inspection and now["not_opened"]:
        conflicts["not_opened"] = (None, now["not_opened"])
    both = all(each.has_outcome or each.opened_instead is not None for each in (before, now))
    if both and before.opened_instead != now.opened_instead:
        conflicts["opened_instead"] = (before.opened_instead, now.opened_instead)
    days = (before["inspected_on"], now["inspected_on"])
    if None not in days and days[0] != days[1] and not _adds(before, now):
        conflicts["inspected_on"] = days
    return conflicts


def together(before: Entries, now: Entries, *, corrected: bool = False) -> Entries:
    """Return what two returns tell of a parcel; where they contradict each other, the later counts."""
    later = {
        risk: value
        for risk, value in now.results.items()
        if (corrected and value != "sent") or _knows_more(value, before.results.get(risk))
    }
    values = {**before.values, **now.values}
    if now.is_inspection and now["not_opened"] is None:
        values.pop("not_opened", None)
    if corrected and now.has_outcome and now.opened_instead is None:
        values.pop("opened_instead", None)
    return Entries({**before.results, **later}, values)


def _knows_more(value: ResultValue, before: ResultValue | None) -> bool:
    """Whether it may follow what was said before: a sample that was sent says nothing of an answer."""
    if before is None or value not in UNANSWERED:
        return True
    return before in UNANSWERED[: UNANSWERED.index(value)]


def _adds(before: Entries, now: Entries) -> bool:
    """Whether it tells something of the inspection that was not known."""
    known = {risk for risk, value in before.results.items() if value not in UNANSWERED}
    if any(risk not in known for risk, value in now.results.items() if value not in UNANSWERED):
        return True
    return any(now[each.name] is not None and before[each.name] is None for each in outcome_fields())


def _is_same(old: object, new: object) -> bool:
    if isinstance(old, float) and isinstance(new, float):
        return math.isclose(old, new, rel_tol=_SAME)
    return old == new

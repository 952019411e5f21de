"""Who is champion, since when and why, as it stands in the tags of a registered model.

MLflow's alias says which version is in use; the tag `champion_history` of the registered model is the pile
of those that were, newest last, so that a rollback knows where to go.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

ALIAS = "champion"
HISTORY_TAG = "champion_history"
_PREFIX = "parcel-risk-"
# MLflow holds 5,000 characters in a tag of a registered model.
_TAG_CHARACTERS = 4_800
_REASON_CHARACTERS = 400


@dataclass(frozen=True)
class Reign:
    """A version's time as champion: since when (ISO 8601, UTC), by whom, why."""

    version: int
    since: str
    who: str
    why: str


@dataclass(frozen=True)
class Champion:
    """The version of a risk's model that is in use."""

    risk: str
    version: int
    since: str
    who: str
    why: str
    run_id: str


def model_name(risk: str) -> str:
    """The registered model of a risk.

    >>> model_name("undervaluation")
    'parcel-risk-undervaluation'
    """
    return _PREFIX + risk


def risk_name(registered: str) -> str | None:
    """The risk of a registered model, None for models of others.

    >>> risk_name("parcel-risk-food_safety"), risk_name("churn")
    ('food_safety', None)
    """
    return registered.removeprefix(_PREFIX) if registered.startswith(_PREFIX) else None


def read_history(tag: str | None) -> tuple[Reign, ...]:
    """The reigns in a `champion_history` tag, oldest first; none without a tag."""
    return tuple(Reign(**entry) for entry in json.loads(tag)) if tag else ()


def write_history(reigns: Sequence[Reign]) -> str:
    """The tag that `read_history` reads; the oldest reigns are dropped where MLflow has no room for them.

    >>> reign = Reign(3, "2026-11-20T01:00:00+00:00", "ana", "passed the gate")
    >>> read_history(write_history([reign])) == (reign,)
    True
    """
    kept = [{**asdict(reign), "why": reign.why[:_REASON_CHARACTERS]} for reign in reigns]
    while len(kept) > 1 and len(json.dumps(kept, ensure_ascii=False)) > _TAG_CHARACTERS:
        kept.pop(0)
    return json.dumps(kept, ensure_ascii=False)

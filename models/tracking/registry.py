"""Who is champion, since when and why, as it stands in the tags of a registered model.

MLflow's alias says which version is in use; the tag `champion_history` of the registered model is the pile
of those that were, newest last, so that a rollback knows where to go. The tag `store` is the identity of the
store whose models these are: names are the same for all, so two stores on one server would else share them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from configs.errors import ConfigurationError, UsageError
from configs.who import responsible
from models.judging.gate import DOUBTS, NOT_JUDGED
from models.tracking.addresses import URI_VARIABLE

ALIAS = "champion"
HISTORY_TAG = "champion_history"
STORE_TAG = "store"
_PREFIX = "parcel-risk-"
# MLflow holds 5,000 characters in a tag of a registered model.
_TAG_CHARACTERS = 4_800
_REASON_CHARACTERS = 400
_SHOWN = 12
_NOBODY = {"since": "", "who": ""}


@dataclass(frozen=True)
class Reign:
    """A version's time as champion: since when (ISO 8601, UTC), by whom, why.

    `who` is what the caller said, or the account; `account` is the account and its host as the system says,
    `code` the version of the program.
    """

    version: int
    since: str
    who: str
    why: str
    account: str = ""
    code: str = ""


@dataclass(frozen=True)
class Champion:
    """The version of a risk's model that is in use.

    `gate` is what its gate decided, empty where nobody knows it any more.
    """

    risk: str
    version: int
    since: str
    who: str
    why: str
    run_id: str
    gate: str = ""

    @property
    def doubt(self) -> str | None:
        """What is to be said wherever the model is named; None of one that passed its gate."""
        return DOUBTS.get(self.gate)


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


def read_history(tags: Mapping[str, str]) -> tuple[Reign, ...]:
    """The reigns in the `champion_history` tags of a registered model, oldest first.

    >>> reign = Reign(3, "2026-11-20T01:00:00+00:00", "ana", "passed the gate")
    >>> read_history(write_history([reign])) == (reign,)
    True
    """
    pages = sorted(name for name in tags if name.startswith(f"{HISTORY_TAG}_") and name[-1].isdigit())
    entries = [entry for name in (*pages, HISTORY_TAG) if tags.get(name) for entry in json.loads(tags[name])]
    return tuple(Reign(**entry) for entry in entries)


def write_history(reigns: Sequence[Reign]) -> dict[str, str]:
    """The tags that `read_history` reads: the newest reigns in `champion_history`, and where MLflow has no
    room for all of them in one tag, the older ones in `champion_history_0001` and so on, oldest first.
    """
    pages: list[list[str]] = [[]]
    for reign in reigns:
        kept = {name: value for name, value in asdict(reign).items() if value != ""}
        entry = json.dumps({**_NOBODY, **kept, "why": reign.why[:_REASON_CHARACTERS]}, ensure_ascii=False)
        if pages[-1] and len(", ".join([*pages[-1], entry])) > _TAG_CHARACTERS:
            pages.append([])
        pages[-1].append(entry)
    names = [*(f"{HISTORY_TAG}_{number:04d}" for number in range(1, len(pages))), HISTORY_TAG]
    return {name: f"[{', '.join(page)}]" for name, page in zip(names, pages, strict=True)}


class ModelRegistry:
    """The registered models behind an MLflow client: versions, the alias of the champion, its history.

    `client` is an `mlflow.MlflowClient`; what it raises passes through. Models of another store than `store`
    are refused with a ConfigurationError. A store without identity ("") has no models yet; None asks for no
    store.
    """

    def __init__(self, client: Any, store: str | None = None) -> None:
        self._client = client
        self._store = store

    def champions(self, risks: Collection[str] | None = None) -> tuple[Champion, ...]:
        """The models in use, by risk; those of another store are an error for `risks`, and left out else.

        Raises:
            ConfigurationError: the model of one of `risks` is another store's.
        """
        champions = []
        ours = f"name LIKE '{_PREFIX}%'"
        for registered in self._client.search_registered_models(ours, max_results=1000):
            risk = risk_name(registered.name)
            if risk is not None and ALIAS in registered.aliases:
                if risks is not None and risk in risks:
                    self._check_store(registered)
                if not self._of_another_store(registered):
                    champions.append(self._champion(risk, registered))
        return tuple(sorted(champions, key=lambda champion: champion.risk))

    def champion(self, risk: str) -> Champion | None:
        """The model in use for a risk, None where there is none."""
        registered = self._registered(risk)
        if registered is None or ALIAS not in registered.aliases:
            return None
        return self._champion(risk, registered)

    def holds(self, risk: str, version: int, run_id: str) -> bool:
        """Whether a version of a risk is that of a run."""
        versions = self._client.search_model_versions(f"name = '{model_name(risk)}'")
        return any((int(one.version), str(one.run_id)) == (version, run_id) for one in versions)

    def claim(self, risk: str, store: str) -> None:
        """Make the registered model of a risk a store's own, and make it first where there is none.

        A model that an earlier version of this program registered has no store yet, and is taken over.

        Raises:
            ConfigurationError: it is another store's.
        """
        registered = self._registered(risk)
        if registered is None:
            self._client.create_registered_model(model_name(risk), tags={"risk": risk, STORE_TAG: store})
        else:
            self._client.set_registered_model_tag(registered.name, STORE_TAG, store)

    def register(self, risk: str, uri: str, run_id: str, model_id: str, code_version: str) -> int:
        """Make a logged model the newest version of its risk; the version."""
        name = model_name(risk)
        if self._registered(risk) is None:
            tags = {"risk": risk, **({STORE_TAG: self._store} if self._store else {})}
            self._client.create_registered_model(name, tags=tags)
        made = self._client.create_model_version(
            name, source=uri, run_id=run_id, model_id=model_id, tags={"code_version": code_version}
        )
        return int(made.version)

    def promote(self, risk: str, version: int, why: str, who: str | None) -> Champion:
        """Make a version champion.

        Raises:
            UsageError: there is no such version.
            ConfigurationError: the model is another store's.
        """
        self._registered(risk)
        versions = self._client.search_model_versions(f"name = '{model_name(risk)}'")
        known = sorted(int(one.version) for one in versions)
        if version not in known:
            listed = ", ".join(map(str, known[-5:])) or "none"
            raise UsageError(f"risk '{risk}' has no version {version}; its newest versions: {listed}.")
        return self._crown(risk, [*self._pile(risk), _reign(version, who, why)])

    def rollback(self, risk: str, why: str, who: str | None) -> Champion:
        """Make the champion before the present one champion again.

        Raises:
            UsageError: there is none.
        """
        pile = self._pile(risk)
        if not pile:
            raise UsageError(f"risk '{risk}' has no model in use yet; `train` makes one.")
        earlier = list(pile)
        while earlier and earlier[-1].version == pile[-1].version:
            earlier.pop()
        if not earlier:
            raise UsageError(
                f"risk '{risk}' cannot be rolled back: it had {len(pile)} champion so far; "
                f"`champion promote` names a version by hand."
            )
        left = str(pile[-1].version)
        self._client.set_model_version_tag(model_name(risk), left, "rolled_back", f"{_now()}: {why}")
        back = _reign(earlier[-1].version, who, f"{why} (from version {left})")
        return self._crown(risk, [*earlier[:-1], back])

    def _registered(self, risk: str) -> Any:
        """The registered model of a risk, None where it has none; that of another store is an error."""
        matches = self._client.search_registered_models(f"name = '{model_name(risk)}'")
        if not matches:
            return None
        self._check_store(matches[0])
        return matches[0]

    def _of_another_store(self, registered: Any) -> bool:
        return self._store is not None and registered.tags.get(STORE_TAG, self._store) != self._store

    def _check_store(self, registered: Any) -> None:
        if self._of_another_store(registered):
            theirs, ours = registered.tags[STORE_TAG][:_SHOWN], str(self._store)[:_SHOWN] or "none yet"
            raise ConfigurationError(
                f"the registered model {registered.name} belongs to another store (identity {theirs}; that "
                f"of this one: {ours}). Expected a registry of its own: name another server or database in "
                f"{URI_VARIABLE}, or unset it to use a SQLite file beside the store. If this store takes "
                f"the place of that one, delete the tag `{STORE_TAG}` of the registered model in MLflow and "
                "train: `parcel-risk train` takes a model without the tag over."
            )

    def _pile(self, risk: str) -> tuple[Reign, ...]:
        """Reigns so far; the alias of a hand that went past this program counts as one."""
        registered = self._registered(risk)
        if registered is None:
            raise UsageError(f"risk '{risk}' has no model yet; `train` makes one.")
        reigns = read_history(registered.tags)
        present = registered.aliases.get(ALIAS)
        if present is not None and (not reigns or reigns[-1].version != int(present)):
            reigns = (*reigns, Reign(int(present), "", "", "alias set outside of this program"))
        return reigns

    def _crown(self, risk: str, pile: Sequence[Reign]) -> Champion:
        name, reign = model_name(risk), pile[-1]
        self._client.set_registered_model_alias(name, ALIAS, str(reign.version))
        tags, known = write_history(pile), self._registered(risk).tags
        for tag, page in tags.items():
            self._client.set_registered_model_tag(name, tag, page)
        for tag in known:
            if tag.startswith(f"{HISTORY_TAG}_") and tag not in tags:
                self._client.delete_registered_model_tag(name, tag)
        for key in ("since", "who", "why", "account", "code"):
            value = str(getattr(reign, key))
            self._client.set_model_version_tag(name, str(reign.version), f"champion_{key}", value)
        run_id = str(self._client.get_model_version(name, str(reign.version)).run_id or "")
        return Champion(risk, reign.version, reign.since, reign.who, reign.why, run_id, self._gate(run_id))

    def _champion(self, risk: str, registered: Any) -> Champion:
        version = str(registered.aliases[ALIAS])
        details = self._client.get_model_version(registered.name, version)
        since, who, why = (str(details.tags.get(f"champion_{key}", "")) for key in ("since", "who", "why"))
        run_id = str(details.run_id or "")
        return Champion(risk, int(version), since, who, why, run_id, self._gate(run_id))

    def _gate(self, run_id: str) -> str:
        """What the gate decided of the model of a run, which says it."""
        from mlflow.exceptions import MlflowException

        if not run_id:
            return NOT_JUDGED
        try:
            tags = self._client.get_run(run_id).data.tags
        except MlflowException:
            # Somebody has deleted the run; its model stays in use.
            return ""
        return str(tags.get("gate", NOT_JUDGED))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _reign(version: int, who: str | None, why: str) -> Reign:
    by = responsible()
    code = " ".join([by["code_version"], by.get("code_commit", "")[:12]]).strip()
    return Reign(version, _now(), who or by["user"], why, f"{by['user']}@{by['host']}", code)

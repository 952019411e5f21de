"""Whether a mapping says what the contract needs, whatever the table."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from configs.errors import ConfigurationError
from configs.messages import nearest
from configs.schema.source import SourceMapping
from features.contract.declarations import DECLARATION_COLUMNS
from features.contract.inspections import CONTRACT_LABELS, INSPECTION_COLUMNS, SELECTIONS
from features.contract.label_cells import plain_words

_CHOICE: Final = {
    "selection": f"selection: null  # why: {', '.join(SELECTIONS)}, or null where it is not known",
    "inspection_probability": "inspection_probability: null  # the chance of being picked, where it is known",
}


def filled_columns(mapping: SourceMapping) -> dict[str, list[str]]:
    """For each column that the mapping fills, the source columns it needs."""
    filled: dict[str, list[str]] = {name: [] for name in mapping.constants}
    for part in (mapping.rename, mapping.extra.categories, mapping.extra.numbers):
        filled |= {target: [source] for target, source in part.items()}
    filled |= {target: [number.column] for target, number in mapping.numbers.items()}
    filled |= {target: list(rule.ratio) for target, rule in mapping.derived.items()}
    filled |= {target: [rule.column] for target, rule in mapping.labels.items()}
    return filled


def check_mapping(mapping: SourceMapping, filled: Collection[str]) -> None:
    """Make sure that a mapping fits the contract; `filled` are the columns that it fills.

    Raises:
        ConfigurationError: it fills a column that nothing knows, a word of a label means two things, or it
            does not say how the lines with results were chosen.
    """
    _check_targets(mapping, filled)
    for label, rule in mapping.labels.items():
        lists = [plain_words(words) for words in (rule.true_when, rule.false_when, rule.null_when)]
        twice = sorted((lists[0] & lists[1]) | (lists[0] & lists[2]) | (lists[1] & lists[2]))
        if twice:
            raise ConfigurationError(
                f"the mapping {mapping.name}: labels.{label} lists {twice[0]!r} under two of true_when, "
                "false_when and null_when (compared without case, width and blanks): keep one of them"
            )
    _check_choice(mapping, filled)


def _check_choice(mapping: SourceMapping, filled: Collection[str]) -> None:
    """How lines were chosen decides what may be learned from them: a default would be wrong for somebody."""
    if not (mapping.labels or {"reported_on", *CONTRACT_LABELS} & set(filled)):
        return
    rules = mapping.inspection
    lacking = [name for name in _CHOICE if name not in filled and name not in rules.model_fields_set]
    if lacking:
        lines = "".join(f"\n    {_CHOICE[name]}" for name in lacking)
        raise ConfigurationError(
            f"the mapping {mapping.name} does not say how the lines with results were chosen: expected "
            f"{' and '.join(lacking)}, came nothing. Only lines that were drawn by chance are `random`: a "
            "follow-up sample, or lines that somebody picked, are no draw. Add to the mapping (or fill them "
            f"from columns of the table under `rename`):\n  inspection:{lines}"
        )
    if rules.selection is not None and rules.selection.lower() not in SELECTIONS:
        raise ConfigurationError(
            f"the mapping {mapping.name}: inspection.selection: expected one of {', '.join(SELECTIONS)}, or "
            f"null where it is not known; came {rules.selection!r}.{nearest(rules.selection, SELECTIONS)}"
        )


def _check_targets(mapping: SourceMapping, filled: Collection[str]) -> None:
    contract = {*DECLARATION_COLUMNS, *INSPECTION_COLUMNS}
    known = {*contract, *mapping.extra.categories, *mapping.extra.numbers, *mapping.labels}
    for target in (*filled, *mapping.values, *mapping.pseudonymise):
        if target not in known:
            raise ConfigurationError(
                f"the mapping {mapping.name} fills {target!r}, which no column of the contract is called."
                f"{nearest(target, known)} A further column belongs under `extra`, a finding under `labels`"
            )
    clash = sorted(contract.intersection([*mapping.extra.categories, *mapping.extra.numbers]))
    if clash:
        raise ConfigurationError(
            f"the mapping {mapping.name} has {clash[0]} under `extra`: it is a column of the contract, "
            "put it under `rename` or `numbers`"
        )

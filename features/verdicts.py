"""From what is known of a day to its verdicts.

A family of checks is a module in `features/checks`; `features.check` says what it has to be. Nothing is
registered anywhere: a new module is a new family.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType

import polars as pl

import features.checks
from configs.errors import ConfigurationError
from features.check import FINDING_COLUMNS, CheckedDay, CheckFamily
from features.declared import declared_in


@cache
def found_checks(package: ModuleType = features.checks) -> Mapping[str, CheckFamily]:
    """Return every family of checks by its name, in the order of names.

    Raises:
        ConfigurationError: a module declares no family, or two families have a check of one name.
    """
    expected = "@check_family(...) from features.check above a function find(day)"
    families = declared_in(package, "find", CheckFamily, what="checks", expected=expected)
    checks = [check for family in families.values() for check in family.checks]
    if repeated := sorted({check for check in checks if checks.count(check) > 1}):
        raise ConfigurationError(f"expected each check in one family; in several: {', '.join(repeated)}")
    return families


@dataclass(frozen=True)
class Verdicts:
    """What the checks say of a day.

    Attributes:
        findings: in `FINDING_COLUMNS`, sorted.
        not_known: the same of what the rules do not tell, because their tables end before; no outcome.
    """

    findings: pl.DataFrame
    not_known: pl.DataFrame


def run_checks(day: CheckedDay, without: Collection[str] = ()) -> Verdicts:
    """Return what every family of checks says of a day, but for those that have only checks of `without`."""
    families = [find for find in found_checks().values() if not set(find.checks) <= set(without)]
    rows = pl.concat([pl.DataFrame(schema=FINDING_COLUMNS), *(find(day) for find in families)])
    rows = rows.sort(list(FINDING_COLUMNS))
    is_known = pl.col("outcome").is_not_null()
    return Verdicts(rows.filter(is_known), rows.filter(~is_known))

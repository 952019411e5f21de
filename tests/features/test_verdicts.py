"""How families of checks are found, and what one has to be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import polars as pl
import pytest

from configs.errors import ConfigurationError
from features.check import FINDING_COLUMNS, CheckedDay, as_findings, check_family
from features.verdicts import found_checks, run_checks
from tests.features.checked_days import LINE, ORDER, PAYMENT, WAYBILL, day_of

CHECKS = {
    *(
        "order_missing",
        "payment_missing",
        "waybill_missing",
        "amount",
        "goods",
        "buyer",
        "consignee",
        "weight",
    ),
    *("payment_reused", "waybill_reused", "paid_late", "return_unknown", "return_exceeds", "return_late"),
    *("mode_not_open", "order_limit", "yearly_allowance", "articles_limit"),
    *("banned_goods", "prohibited_article", "not_listed", "quantity_limit"),
}
GOOD = """
import polars as pl
from features.check import FINDING_COLUMNS, check_family

@check_family("{check}")
def find({parameter}):
    return pl.DataFrame(schema=FINDING_COLUMNS)
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """An empty package to put families into."""
    module = ModuleType("checks_of_a_test")
    module.__path__ = [str(tmp_path)]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    yield module
    for name in [name for name in sys.modules if name.startswith("checks_of_a_test.")]:
        del sys.modules[name]


def test_every_check_is_found() -> None:
    assert {check for family in found_checks().values() for check in family.checks} == CHECKS


def test_a_module_is_a_family(package: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(GOOD.format(check="mine", parameter="day"), encoding="utf-8")
    assert found_checks(package)["mine"].checks == ("mine",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def find(day): ...", "checks mine: expected @check_family.* above a function find"),
        (GOOD.format(check="mine", parameter="lines"), "checks mine: find: expected the parameter day"),
    ],
)
def test_a_slip_of_a_module_is_told(package: ModuleType, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=message):
        found_checks(package)


def test_a_check_is_in_one_family(package: ModuleType, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.py").write_text(GOOD.format(check="same", parameter="day"), encoding="utf-8")
    with pytest.raises(ConfigurationError, match="each check in one family; in several: same"):
        found_checks(package)


def test_a_family_finds_what_it_declares() -> None:
    @check_family("mine")
    def find(day: CheckedDay) -> pl.DataFrame:
        return as_findings(day.parcels.select("declaration_id"), "yours", "perhaps")

    with pytest.raises(ValueError, match=r"expected findings of mine that are .* came yours, perhaps"):
        find(day_of())


def test_findings_are_sorted_whatever_the_order_of_rows() -> None:
    lines = [
        LINE | {"declaration_id": f"INV{number}", "order_id": f"O{number}", "quantity": 9.0, "line_no": line}
        for number in (3, 1, 2)
        for line in (2, 1)
    ]
    orders = [ORDER | {"order_id": row["order_id"], "line_no": row["line_no"]} for row in lines]
    day = day_of(lines, orders, [PAYMENT], [WAYBILL | {"gross_weight_kg": 7.0}])
    turned = day_of(lines[::-1], orders[::-1], [PAYMENT], [WAYBILL | {"gross_weight_kg": 7.0}])
    rows = run_checks(day).findings
    assert rows.height > 10
    assert rows.equals(run_checks(turned).findings)
    assert rows.schema == FINDING_COLUMNS
    assert rows["declaration_id"].is_sorted()


def test_a_day_without_anything() -> None:
    verdicts = run_checks(day_of([], [], [], []))
    assert verdicts.findings.is_empty()
    assert verdicts.findings.schema == FINDING_COLUMNS

"""The allowance of a year: worked cases, and sums that depend on nothing but what was known."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars as pl
import pytest

from configs.reference.facts import load_reference
from features.contract.china_time import CHINA, closing_moment
from pipelines.checks.allowance import spent_above_allowance
from pipelines.checks.retail_sums import bring_up_to
from pipelines.cli.main import run
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from tests.features.checked_days import LINE, Row
from tests.pipelines.documents_in_store import findings_of, make_documents

DAY = date(2026, 11, 20)
ALLOWANCE = 26_000.0


def parcel(name: str, day: date, price: float, **changed: Any) -> Row:
    moment = closing_moment(day) - timedelta(hours=8)
    return LINE | {
        "declaration_id": name,
        "declared_at": moment,
        "sent_at": moment,
        "order_id": name,
        "waybill_id": name,
        "hs_code": "9503008900",
        "total_price": price,
        "quantity": 2.0,
    } | changed  # fmt: skip


def applied(name: str, moment: datetime, **changed: Any) -> Row:
    return {
        "declaration_id": name, "own_number": f"R{name}", "line_no": 1, "direction": "import",
        "quantity": 2.0, "unit": "011", "sent_at": moment,
    } | changed  # fmt: skip


def spent(store: Store, day: date = DAY) -> dict[str, float]:
    """What is above the allowance, by parcel."""
    assert run(["check", "--store", str(store.path), "--date", str(day), "--quiet"]) == 0
    rows = findings_of(store, day).filter(check="yearly_allowance")
    told = rows.select("declaration_id", pl.col("found").str.extract(r"CNY ([0-9.]+)").cast(pl.Float64))
    return dict(told.iter_rows())


def test_the_year_adds_up(tmp_path: Path) -> None:
    """Five parcels of 5,000, one of 1,000: all of 26,000. Then a cent, in the same year and in the next."""
    days = [date(2026, 1, 1), date(2026, 3, 1), date(2026, 6, 30), date(2026, 9, 9), DAY - timedelta(days=1)]
    lines = [parcel(f"P{n}", day, 4_990.0, freight=9.0, insurance=1.0) for n, day in enumerate(days)]
    lines += [
        parcel("OLD", date(2025, 12, 31), 4_000.0),
        parcel("FULL", DAY, 1_000.0),
        parcel("CENT", DAY + timedelta(days=1), 0.01),
        parcel("LATER", date(2027, 1, 1), 4_000.0),
        # Others, and what is no retail import.
        parcel("ELSE", DAY, 5_000.0, buyer_id="bob"),
        parcel("NOBODY", DAY, 5_000.0, buyer_id=None),
        parcel("MAIL", date(2026, 5, 5), 900.0, trade_mode="mail"),
        parcel("OUT", date(2026, 5, 5), 9_000.0, direction="export"),
    ]
    store = make_documents(tmp_path / "S", lines)
    assert spent(store) == {}
    assert spent(store, DAY + timedelta(days=1)) == {"CENT": pytest.approx(26_000.01)}
    assert spent(store, date(2027, 1, 1)) == {}


def test_parcels_of_a_day_count_in_their_order(tmp_path: Path) -> None:
    lines = [
        parcel("EVE", DAY - timedelta(days=1), 4_000.0, currency="CNY"),
        *(parcel(f"P{n}", DAY - timedelta(days=9 + n), 5_000.0) for n in range(4)),
        parcel("B", DAY, 2_000.0, declared_at=closing_moment(DAY) - timedelta(hours=9)),
        parcel("A", DAY, 1_000.0, declared_at=closing_moment(DAY) - timedelta(hours=7)),
    ]
    assert spent(make_documents(tmp_path / "S", lines)) == {"A": pytest.approx(27_000.0)}


def full_year(*extra: Row) -> list[Row]:
    return [*(parcel(f"P{n}", date(2026, 2, 1 + n), 5_000.0) for n in range(5)), *extra]


def test_what_goes_back_gives_the_allowance_back(tmp_path: Path) -> None:
    """25,000 and 2,000 are too much by 1,000. Half of one parcel of 5,000 back: 24,500 are left."""
    lines, when = full_year(parcel("NOW", DAY, 2_000.0)), closing_moment(DAY) - timedelta(hours=1)
    assert spent(make_documents(tmp_path / "S", lines)) == {"NOW": pytest.approx(27_000.0)}
    half = applied("P2", when, quantity=1.0)
    assert spent(make_documents(tmp_path / "T", lines, returns=[half])) == {}
    # An application of the next day is not known yet.
    later = applied("P2", closing_moment(DAY), quantity=1.0)
    assert spent(make_documents(tmp_path / "U", lines, returns=[later])) == {"NOW": pytest.approx(27_000.0)}
    # A fifth of a parcel: 1,000, and that is just enough.
    fifth = applied("P2", when, quantity=0.4)
    assert spent(make_documents(tmp_path / "V", lines, returns=[fifth])) == {}
    # What was rejected before the close is no application any more.
    ends = {"held_until": when, "action": "new", "part": ""}
    rejected = applied("P2", when - timedelta(hours=1), **ends)
    store = make_documents(tmp_path / "W", lines, returns=[rejected])
    assert spent(store) == {"NOW": pytest.approx(27_000.0)}


def test_freight_goes_back_with_the_goods(tmp_path: Path) -> None:
    """26,000.50 without the return; of two lines of 60 and 40 with freight of 10 the first: 66 less."""
    two = parcel("TWO", date(2026, 3, 1), 60.0, freight=10.0)
    lines = full_year(two, two | {"line_no": 2, "total_price": 40.0}, parcel("NOW", DAY, 957.0))
    assert spent(make_documents(tmp_path / "S", lines)) == {"NOW": pytest.approx(26_067.0)}
    back = applied("TWO", closing_moment(DAY) - timedelta(hours=1))
    assert spent(make_documents(tmp_path / "T", lines, returns=[back])) == {"NOW": pytest.approx(26_001.0)}


def test_what_was_cancelled_counts_until_its_application(tmp_path: Path) -> None:
    lines = full_year(parcel("NOW", DAY, 2_000.0))
    for hours, expected in ((-1, {}), (1, {"NOW": pytest.approx(27_000.0)})):
        gone = closing_moment(DAY) + timedelta(hours=hours)
        cancelled = lines[2] | {"action": "new", "part": "", "held_until": gone}
        held = [line for line in lines if line["declaration_id"] != lines[2]["declaration_id"]]
        store = make_documents(tmp_path / f"S{hours}", held, [cancelled])
        assert spent(store) == expected


def sums(store: Store) -> dict[str, bytes]:
    folder = store.layout.table(DayTable.RETAIL_SUMS)
    return {file.parent.name: file.read_bytes() for file in sorted(folder.rglob("*.parquet"))}


def test_the_sums_are_made_once_and_again_where_something_changed(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", full_year(parcel("NOW", DAY, 2_000.0)))
    reference = load_reference()
    with store.lock("test"):
        assert bring_up_to(store, DAY, reference) == 5
        assert bring_up_to(store, DAY, reference) == 0
        before = sums(store)
        with store.transaction() as t:
            day = store.read_declarations(date(2026, 2, 1), list(store.stored_schema()))
            store.write_declarations(t, date(2026, 2, 1), day.with_columns(total_price=pl.lit(9.0)), 1_000)
        assert bring_up_to(store, DAY, reference) == 1
    after = sums(store)
    assert [name for name in after if after[name] != before[name]] == ["declared_on=2026-02-01"]


def test_a_store_without_sums_is_checked_alike(tmp_path: Path) -> None:
    """Sums that are lost, and files that are cut otherwise: the findings are the same, to the byte."""
    lines = full_year(parcel("NOW", DAY, 2_000.0), parcel("LAST", DAY + timedelta(days=1), 1.0))
    stores = [
        make_documents(tmp_path / "S", lines),
        make_documents(tmp_path / "T", lines[::-1], bucket_rows=1),
    ]
    written = []
    for store in stores:
        for _ in range(2):
            for day in (DAY, DAY + timedelta(days=1)):
                assert len(spent(store, day)) == 1
            tables = (DayTable.LAW, DayTable.ASSESSMENTS)
            written.append([store.layout.file(table, DAY).read_bytes() for table in tables])
            assert len(sums(store)) == 6
            shutil.rmtree(store.layout.table(DayTable.RETAIL_SUMS))
    assert all(each == written[0] for each in written)


def test_nothing_is_written_to_find_what_was_spent(tmp_path: Path) -> None:
    store = make_documents(tmp_path / "S", full_year(parcel("NOW", DAY, 2_000.0)))
    found = spent_above_allowance(store, DAY, load_reference())
    assert found.rows() == [("NOW", pytest.approx(27_000.0))]
    assert not store.layout.table(DayTable.RETAIL_SUMS).exists()


class Year:
    """Random parcels of a few buyers, some changed, withdrawn or sent back, and what they come to."""

    def __init__(self, seed: int) -> None:
        draw = Random(seed)
        self.now: list[Row] = []
        self.past: list[Row] = []
        self.returns: list[Row] = []
        for number in range(160):
            day = DAY - timedelta(days=draw.choice([0, 0, 1, 2, 5, 40, 200, 330]))
            price, quantity = draw.choice([3_000.0, 2_500.55, 999.99]), draw.choice([1.0, 2.0, 4.0])
            row = parcel(
                f"P{number:03d}", day, price, buyer_id=draw.choice(["ann", "bob", "cid", "dan"]),
                quantity=quantity, freight=draw.choice([None, 10.0]),
                sent_at=closing_moment(day) + timedelta(hours=draw.choice([-9, -9, -9, 30])),
                declared_at=closing_moment(day) - timedelta(minutes=draw.randrange(1, 1_400)),
            )  # fmt: skip
            kind = draw.random()
            ends = {"action": "new", "part": ""}
            if kind < 0.2:
                gone = row["sent_at"] + timedelta(hours=draw.choice([2, 40, 900]))
                self.past.append(row | ends | {"held_until": gone})
                if kind < 0.1:
                    self.now.append(row | {"total_price": 1.0, "sent_at": gone})
                continue
            self.now.append(row)
            if kind < 0.4:
                when = row["sent_at"] + timedelta(hours=draw.choice([1, 50, 2_000]))
                self.returns.append(
                    applied(row["declaration_id"], when, quantity=draw.choice([1.0, quantity, 9.0]))
                )

    def above(self, day: date) -> dict[str, float]:
        """What is above the allowance on a day, worked out parcel by parcel."""
        close = closing_moment(day)
        back: dict[str, float] = {}
        for row in self.returns:
            if row["sent_at"] < close:
                back[row["declaration_id"]] = row["quantity"]
        known = self.known(close)
        of_day = {row["declaration_id"] for row in known}
        # What was sent after the close of its day is checked as it was first sent.
        firsts: dict[str, Row] = {}
        for row in sorted([*self.past, *self.now], key=lambda row: row["sent_at"]):
            if row["sent_at"] >= close and _day(row) == day and row["declaration_id"] not in of_day:
                firsts.setdefault(row["declaration_id"], row)
        totals: dict[str, float] = {}
        found: dict[str, float] = {}
        order = sorted(
            [*known, *firsts.values()], key=lambda row: (row["declared_at"], row["declaration_id"])
        )
        for row in order:
            if _day(row).year != day.year or _day(row) > day:
                continue
            name, buyer = row["declaration_id"], row["buyer_id"]
            value = row["total_price"] + (row["freight"] or 0.0)
            share = min(1.0, back.get(name, 0.0) / row["quantity"])
            totals[buyer] = totals.get(buyer, 0.0) + round(value - value * share, 2)
            if _day(row) == day and totals[buyer] > ALLOWANCE + 0.001:
                found[name] = totals[buyer]
        return found

    def known(self, close: datetime) -> Sequence[Row]:
        held = [row for row in self.past if row["sent_at"] < close <= row["held_until"]]
        return [*held, *(row for row in self.now if row["sent_at"] < close)]


def _day(row: Row) -> date:
    moment: datetime = row["declared_at"]
    return moment.astimezone(CHINA).date()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_sums_are_what_a_person_would_add_up(tmp_path: Path, seed: int) -> None:
    year = Year(seed)
    store = make_documents(tmp_path / "S", year.now, year.past, bucket_rows=40, returns=year.returns)
    days = [DAY, DAY - timedelta(days=1), DAY - timedelta(days=2), DAY - timedelta(days=5)]
    counts = []
    for day in days:
        expected = year.above(day)
        assert spent(store, day) == {name: pytest.approx(value, abs=0.1) for name, value in expected.items()}
        counts.append(len(expected))
    assert sum(counts) > 10

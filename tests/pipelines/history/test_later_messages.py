"""Inventories that are changed or withdrawn after the close of their day: histories, by night and anew."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from configs.loader import load_settings
from configs.schema.settings import Settings
from features.contract.china_time import CHINA, closing_moment
from features.history.state import History, forward_weight
from pipelines.history.chronicle import Chronicle
from pipelines.history.profiles import load_profile
from pipelines.scoring.history_steps import LINES_IN_MEMORY, close_days_before
from pipelines.store.day_table import DayTable
from pipelines.store.store import Store
from pipelines.work.execution import Executor
from tests.pipelines.ceb_documents import inventory
from tests.pipelines.document_messages import (
    CANCELLATION,
    INVENTORY,
    INVENTORY_LINE,
    STATE,
    element,
    written,
)
from tests.pipelines.taken_in import take_in_files

pytestmark = pytest.mark.usefixtures("key")
FIRST = date(2026, 11, 20)
DAYS = [FIRST + timedelta(days=number) for number in range(6)]
SELLERS = 3


@dataclass
class Parcel:
    """An inventory, and what it says from when on: a price, or None where it does not hold."""

    number: str
    seller: str
    day: date
    said: list[tuple[datetime, int | None]]
    messages: list[tuple[datetime, str, str]] = field(default_factory=list)

    def price(self, day: date) -> int | None:
        """What counts at the close of a day: of a late one its first price, from its day on."""
        if day < self.day:
            return None
        on_its_day = [price for sent, price in self.said if sent < closing_moment(self.day)]
        later = [(sent, price) for sent, price in self.said if sent >= closing_moment(self.day)]
        since, late = next(((sent, price) for sent, price in later if price), (None, None))
        known = [(sent, price) for sent, price in self.said if sent < closing_moment(day)]
        if not on_its_day or on_its_day[-1] is None:  # what holds only later is late
            return late if since is None or not known or known[-1][0] < since else known[-1][1]
        return known[-1][1]


def moment(rng: random.Random, day: date, hours: tuple[int, int] = (0, 23)) -> datetime:
    return datetime(day.year, day.month, day.day, rng.randint(*hours), rng.randint(0, 59), tzinfo=CHINA)


def parcel(rng: random.Random, number: int) -> Parcel:
    day = rng.choice(DAYS[:4])
    sent = moment(rng, day if rng.random() < 0.9 else day + timedelta(days=1))
    made = Parcel(f"INVENTORY{number}", f"SELLER{rng.randrange(SELLERS)}", day, [(sent, 100 + number)])
    head = INVENTORY | {
        "invtNo": made.number, "ebcCode": made.seller, "declTime": f"{day:%Y%m%d}", "copNo": f"COP{number}",
        "buyerIdNumber": f"BUYER{rng.randrange(5)}",
    }  # fmt: skip

    def tell(sent: datetime, kind: int, price: int) -> None:
        line = INVENTORY_LINE | {"totalPrice": str(price), "price": str(price), "qty": "1"}
        text = inventory(head | {"appType": str(kind), "appTime": f"{sent:%Y%m%d%H%M%S}"}, line)
        made.messages.append((sent, "621", text))

    tell(sent, 1, 100 + number)
    for later in sorted(moment(rng, rng.choice(DAYS)) for _ in range(rng.choice([0, 1, 1, 2]))):
        if later <= made.said[-1][0]:
            continue
        fate = rng.choice(["change", "delete", "cancel", "refused"])
        if made.said[-1][1] is None:
            break
        if fate == "change":
            tell(later, 2, price := 500 + number)
            made.said.append((later, price))
        elif fate == "delete":
            tell(later, 3, 0)
            made.said.append((later, None))
        else:
            application = CANCELLATION | {"invtNo": made.number, "appTime": f"{later:%Y%m%d%H%M%S}"}
            made.messages.append((later, "623", element("InvtCancel", application)))
            made.said.append((later, None))
            if fate == "refused":
                answered = later + timedelta(hours=rng.choice([1, 30]))
                state = STATE | {"invtNo": made.number, "returnTime": f"{answered:%Y%m%d%H%M%S}000"}
                made.messages.append((answered, "624", element("InvtCancelReturn", state)))
                made.said.append((answered, made.said[-2][1]))
            break
    return made


@dataclass
class Told:
    """Parcels, and the files of what is sent about them on each day."""

    parcels: list[Parcel]
    folder: Path

    def files(self, days: Sequence[date]) -> Iterator[Path]:
        for day in days:
            for kind in ("621", "623", "624"):
                texts = [
                    text
                    for each in self.parcels
                    for sent, number, text in each.messages
                    if number == kind and sent.date() == day
                ]
                if texts:
                    yield written(self.folder, kind, texts, f"{day}-{kind}")


@pytest.fixture(scope="module")
def settings() -> Settings:
    settings = load_settings()
    keys = ("all", "seller", "buyer", "hs2", "hs4", "hs6", "item_key")
    history = settings.pipeline.history
    chosen = tuple(key for key in history.combinations if key.name in keys)
    history = history.model_copy(update={"combinations": chosen})
    return settings.model_copy(update={"pipeline": settings.pipeline.model_copy(update={"history": history})})


@pytest.fixture
def told(tmp_path: Path) -> Told:
    rng = random.Random(5)
    folder = tmp_path / "messages"
    folder.mkdir()
    return Told([parcel(rng, number) for number in range(60)], folder)


LAST = DAYS[-1] + timedelta(days=2)


def history_of(store: Path, settings: Settings) -> History:
    opened = Store.open(store)
    chronicle = Chronicle(opened, settings)
    return load_profile(opened.layout.partition(DayTable.PROFILES, opened.last_closed), chronicle.spec)


def close(store: Path, settings: Settings, before: date, in_memory: int = LINES_IN_MEMORY) -> None:
    opened = Store.open(store)
    with opened.lock("test"):
        close_days_before(Chronicle(opened, settings), before, Executor(), lines_in_memory=in_memory)


@pytest.mark.parametrize("in_memory", [LINES_IN_MEMORY, 0])
def test_nights_count_as_a_history_that_is_made_anew(
    tmp_path: Path, told: Told, settings: Settings, in_memory: int
) -> None:
    nights, anew, behind = (tmp_path / name for name in ("nights", "anew", "behind"))
    days = [*DAYS, LAST - timedelta(days=1)]
    for day in days:
        for file in told.files([day]):
            take_in_files(nights, file)
        close(nights, settings, day + timedelta(days=1), in_memory)
    take_in_files(anew, *told.files(days))
    close(anew, settings, LAST)
    # All of the first three days is closed before anything that came later is known.
    for file in reversed(list(told.files(days))):
        take_in_files(behind, file)
        if "2026-11-23" in file.name:
            close(behind, settings, LAST)
    close(behind, settings, LAST)
    expected = history_of(anew, settings)
    for other in (nights, behind):
        found = history_of(other, settings)
        for name, table in expected.tables.items():
            assert_frame_equal(found.tables[name], table, check_exact=True)
        for name, sketch in expected.prices.items():
            assert_frame_equal(found.prices[name], sketch, check_exact=True)


def test_counts_and_values_are_what_was_known_on_each_day(
    tmp_path: Path, told: Told, settings: Settings
) -> None:
    days = [*DAYS, LAST - timedelta(days=1)]
    take_in_files(tmp_path / "S", *told.files(days))
    chronicle = Chronicle(Store.open(tmp_path / "S"), settings)
    half_life = settings.pipeline.history.activity_half_lives_days[0]
    seen = 0
    for day, history in chronicle.replay(chronicle.spec.empty(), LAST):
        prices = {each: each.price(day) for each in map(_hashable, told.parcels)}
        known = {each: price for each, price in prices.items() if price is not None}
        everything = history.tables["all"]
        assert everything["lines"].sum() == len(known), day
        sellers = history.tables["seller"].filter(pl.col("lines") > 0)
        by_seller = {seller: [p for each, p in known.items() if each.seller == seller] for seller in
                     {each.seller for each in known}}  # fmt: skip
        assert sorted(sellers["value_fen"]) == sorted(100 * sum(each) for each in by_seller.values()), day
        assert sellers["year_fen"].to_list() == sellers["value_fen"].to_list()
        landmark = settings.pipeline.history.landmark
        decayed = {
            seller: sum(
                forward_weight(each.day, landmark, half_life) for each in known if each.seller == seller
            )
            for seller in by_seller
        }
        found = sorted(sellers[f"lines_{half_life:g}d"])
        assert found == pytest.approx(sorted(decayed.values()), rel=1e-9), day
        for name, sketch in history.prices.items():
            if name.startswith("unit-hs6"):
                assert sketch["count"].sum() == len(known), (day, name)
        seen += len(prices) - len(known)
    assert seen > 20


class _Hashed(Parcel):
    __hash__ = object.__hash__


def _hashable(each: Parcel) -> Parcel:
    each.__class__ = _Hashed
    return each

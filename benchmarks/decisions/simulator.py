"""Lines per second of the simulator on one core, beside a plain generator that writes one line at a time.

    python -m benchmarks.decisions.simulator [PARCELS_PER_DAY] [DAYS]

Both fill the contract's 35 columns from the same world. The plain generator knows no schemes, seasons or
habits: it is the floor of what a loop over lines costs. CPU seconds, so that another process on the machine
counts little.
"""

import os

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import random
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from configs.loader import load_settings
from features.contract.declarations import DECLARATION_COLUMNS
from pipelines.simulation import Inspectorate, World, WorldParameters, simulate, simulate_days
from pipelines.simulation.world.places import COUNTRIES, CURRENCIES, MODES
from pipelines.work.progress import Progress

END = date(2026, 11, 20)
Row = dict[str, str | int | float | datetime | None]


def vectorised(world: World, parcels: int, days: int) -> int:
    """Simulate declarations, truth and inspections; return the number of lines."""
    inspectorate, lines = Inspectorate(), 0
    for day in simulate_days(world, days, parcels, END):
        inspectorate.inspect(day)
        lines += day.declarations.height
    return lines


def row_by_row(world: World, parcels: int, days: int) -> int:
    """Write the same columns one line at a time; return the number of lines."""
    draw, lines = random.Random(7), 0
    for step in range(days):
        midnight = datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=step)
        rows = [
            row
            for parcel in range(parcels)
            for row in _parcel(world, draw, midnight, step * parcels + parcel)
        ]
        lines += pl.DataFrame(rows, schema=DECLARATION_COLUMNS, orient="row").height
    return lines


def _parcel(world: World, draw: random.Random, midnight: datetime, number: int) -> list[Row]:
    catalogue, sellers = world.catalogue, world.sellers
    slot = draw.randrange(len(sellers))
    shared: Row = {
        "declaration_id": f"{draw.choice(world.offices.code)}2026{number:010d}",
        "declared_at": midnight + timedelta(seconds=draw.randrange(86_400)),
        "direction": "import",
        "trade_mode": MODES[int(sellers.mode[slot])],
        "customs_office": draw.choice(world.offices.code),
        "port": draw.choice(world.offices.code),
        "transport_mode": "5",
        "dispatch_country": draw.choice(COUNTRIES),
        "destination_country": None,
        "currency": draw.choice(CURRENCIES),
        "freight": draw.uniform(5, 60),
        "insurance": draw.uniform(0, 3),
        "package_count": 1,
        "gross_weight_kg": draw.uniform(0.1, 5),
        "net_weight_kg": draw.uniform(0.1, 5),
    }
    for party in ("platform_id", "seller_id", "agent_id", "carrier_id", "order_id", "waybill_id", "buyer_id"):
        shared[party] = f"{draw.getrandbits(64):016x}"
    shared["address_id"] = f"{draw.getrandbits(64):016x}"
    rows = []
    for line in range(1 + (draw.random() < 0.4) + (draw.random() < 0.2)):
        article = draw.randrange(catalogue.articles)
        family = int(catalogue.article_family[article])
        quantity = float(1 + int(draw.expovariate(1.0)))
        price = float(catalogue.article_price_cny[article]) * draw.lognormvariate(0.0, 0.2)
        row = shared | {
            "line_no": line + 1,
            "origin_country": COUNTRIES[int(catalogue.article_origin[article])],
            "hs_code": catalogue.families["hs_code"][family],
            "item_name": world.names.pool[article * 12 + draw.randrange(8)],
            "item_model": world.names.models[article * 3],
            "barcode": f"{draw.randrange(10**13):013d}",
            "quantity": quantity,
            "unit": catalogue.families["unit"][family],
            "legal_quantity": quantity * float(catalogue.article_weight_kg[article]),
            "legal_unit": catalogue.families["legal_unit"][family],
            "unit_price": round(price, 2),
            "total_price": round(price * quantity, 2),
        }
        rows.append({name: row[name] for name in DECLARATION_COLUMNS})
    return rows


def into_a_store(parcels: int, days: int) -> int:
    """Run the verb into a store of its own; return the number of lines."""
    with tempfile.TemporaryDirectory() as folder:
        report = simulate(
            Path(folder) / "store", days=days, parcels_per_day=parcels, end=END, seed=7, drift=False,
            settings=load_settings(), progress=Progress.silent(),
        )  # fmt: skip
    return report.rows


def measure(name: str, work: Callable[[], int]) -> float:
    """Print and return the lines per CPU second of some work."""
    began = time.process_time()
    lines = work()
    seconds = time.process_time() - began
    print(f"{name:<56} {lines:>9,} lines  {seconds:7.2f} s  {lines / seconds:>9,.0f} lines/s")
    return lines / seconds


def main() -> None:
    """Compare both at the size given on the command line."""
    parcels = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    world = World.make(7, WorldParameters.for_volume(parcels))
    fast = measure(
        "vectorised, with schemes, truth and inspections", lambda: vectorised(world, parcels, days)
    )
    measure("the verb: the same and written into a store", lambda: into_a_store(parcels, days))
    slow = measure(
        "one line at a time, declarations only", lambda: row_by_row(world, parcels, max(days // 10, 1))
    )
    print(f"vectorised is {fast / slow:.1f} times as fast; the requirement is 50,000 lines/s on one core")


if __name__ == "__main__":
    main()

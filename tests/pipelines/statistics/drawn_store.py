"""Stores of drawn declarations, returns and withdrawals, and the same statistics in SQL over their files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from configs.reference.facts import load_reference
from pipelines.store.store import Store
from tests.pipelines.documents_in_store import make_documents

Row = dict[str, Any]
LONG_AGO = datetime(2027, 6, 1, tzinfo=UTC)
"""When the months of the stores are all final."""
CELL = ("direction", "trade_mode", "partner", "hs2", "hs4", "customs_office")


def parcels(draw: Random, days: Sequence[date], count: int) -> list[Row]:
    """Lines of so many parcels, among them some without this or that."""
    lines: list[Row] = []
    for number in range(count):
        direction = draw.choices(["import", "export", None], [70, 28, 2])[0]
        modes = ["9610", "1210", "mail", "express"] if direction != "export" else ["9610", "9710", "9810"]
        parcel: Row = {
            "declaration_id": f"INV{number:05d}",
            "declared_at": datetime.combine(draw.choice(days), datetime.min.time(), UTC) + timedelta(hours=6),
            "direction": direction,
            "trade_mode": draw.choice([*modes, None]) if draw.random() < 0.1 else draw.choice(modes),
            "customs_office": draw.choice(["2991", "5144", "4601", None]),
            "seller_id": draw.choice([f"S{each}" for each in range(9)] + [None]),
            "platform_id": draw.choice(["P1", "P2", None]),
            "freight": draw.choice([None, 0.0, 12.5, 3.333]),
            "insurance": draw.choice([None, 0.0, 0.07]),
            "net_weight_kg": draw.choice([None, 0.35, 1.2, 17.0]),
            "currency": draw.choices(["CNY", "USD", "JPY", "XAU", None], [50, 30, 16, 2, 2])[0],
        }
        for line in range(1, draw.choice([1, 1, 2, 3]) + 1):
            price = draw.choice([0.0, 0.005, 19.995, 99.99, round(draw.uniform(0.01, 900.0), 2)])
            lines.append(
                parcel
                | {
                    "line_no": line,
                    "origin_country": draw.choice(["JP", "KR", "US", None]),
                    "destination_country": draw.choice(["US", "DE", "BR", None]),
                    "hs_code": draw.choice(["3304990039", "33049100", "22042100", "620342", "9503006000"]),
                    "quantity": draw.choice([1.0, 2.0, 3.0, None]),
                    "unit": draw.choice(["011", "035", None]),
                    "total_price": price if draw.random() < 0.97 else None,
                }
            )
    return lines


def returns_of(draw: Random, lines: Sequence[Row], count: int) -> list[Row]:
    """Applications for some lines, some of them changed later or taken back, some of lines of nobody."""
    rows: list[Row] = []
    for number, line in enumerate(draw.sample(list(lines), count)):
        sent = line["declared_at"] + timedelta(days=draw.randrange(1, 40))
        application = {
            "declaration_id": draw.choices([line["declaration_id"], "NOBODY"], [95, 5])[0],
            "line_no": line["line_no"],
            "own_number": f"R{number}",
            "quantity": draw.choice([1.0, 2.0, 5.0, None]),
            "unit": draw.choice([line["unit"], "007"]),
            "sent_at": sent,
            "action": "new",
        }
        rows.append(application)
        if number % 5 == 0:
            # What it said before, in an earlier message.
            earlier = {"sent_at": sent - timedelta(days=20), "part": "", "held_until": sent, "quantity": 9.0}
            rows.append(application | earlier)
        if number % 7 == 0:
            # Another application of the inventory, taken back: it is no version of this one.
            other = {"own_number": f"GONE{number}", "part": "", "held_until": sent + timedelta(days=1)}
            rows.append(application | other)
            rows.append(application | other | {"action": "delete", "held_until": None})
    return rows


def make_store(path: Path, seed: int, days: Sequence[date], count: int) -> Store:
    """A store of so many parcels on these days; one in twelve was withdrawn."""
    draw = Random(seed)
    lines = parcels(draw, days, count)
    withdrawn = {f"INV{number:05d}" for number in range(0, count, 12)}
    gone = [
        line | {"part": "", "held_until": LONG_AGO} for line in lines if line["declaration_id"] in withdrawn
    ]
    held = [line for line in lines if line["declaration_id"] not in withdrawn]
    returned = returns_of(draw, lines, count // 6)
    return make_documents(path, held, gone, bucket_rows=150, returns=returned)


_LINES = """
create view lines as
with rated as (
    select d.*, r.cny_per_unit as rate, u.cny_per_unit as dollar
    from read_parquet('{store}/declarations/*/*.parquet', hive_partitioning = true, union_by_name = true) d
    asof left join (select * from rates) r on d.currency = r.currency and d.declared_on >= r.valid_from
    asof left join (select * from rates where currency = 'USD') u on d.declared_on >= u.valid_from
), shared as (
    select *, case
        when sum(coalesce(total_price * rate, 0)) over parcel > 0
        then coalesce(total_price * rate, 0) / sum(coalesce(total_price * rate, 0)) over parcel
        else 1.0 / count(*) over parcel end as share
    from rated window parcel as (partition by declaration_id)
), valued as (
    select *, total_price * rate + case when direction = 'import'
        then (coalesce(freight, 0) + coalesce(insurance, 0)) * share * rate else 0 end as cny
    from shared
)
select strftime(declared_on, '%Y-%m') as month, declaration_id, line_no, direction, trade_mode,
    case direction when 'import' then origin_country when 'export' then destination_country end as partner,
    hs_code[:2] as hs2, hs_code[:4] as hs4, customs_office, quantity, unit,
    round(cast(cny * 100 as decimal(30, 5)))::bigint as fen,
    round(cast(cny / dollar * 100 as decimal(30, 5)))::bigint as cents,
    net_weight_kg * share as kg
from valued
"""
_RETURNS = """
create view returned as
with sent as (
    select declaration_id, own_number, line_no, quantity, unit, sent_at from held_returns
), first as (
    select declaration_id, own_number, min(sent_at) as first_sent from past_returns p
    where action <> 'delete' and not exists (
        select 1 from past_returns e where e.action = 'delete' and e.declaration_id = p.declaration_id
        and e.own_number = p.own_number and e.sent_at > p.sent_at)
    group by all
)
select strftime(timezone('Asia/Shanghai', least(s.sent_at, coalesce(f.first_sent, s.sent_at))), '%Y-%m')
    as applied_in, s.*, l.* exclude (declaration_id, line_no, quantity, unit),
    case when s.unit is null or l.unit is null or s.unit = l.unit then
    round(cast(l.fen * least(s.quantity / l.quantity, case when s.quantity is not null
        and l.quantity is not null then 1 end) as decimal(30, 5)))::bigint end as back_fen
from sent s left join first f using (declaration_id, own_number)
left join lines l on l.declaration_id = s.declaration_id and l.line_no = s.line_no
"""


@contextmanager
def in_sql(store: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The store's `lines` with their values, and what is `returned`."""
    rates = load_reference().tables["exchange_rates"].select("currency", "cny_per_unit", "valid_from")
    with duckdb.connect() as sql:
        sql.execute("set timezone = 'UTC'")
        sql.register("rates", rates.to_arrow())
        sql.execute(_LINES.format(store=store))
        for name, folder in (("held_returns", "returns"), ("past_returns", "changes/returns")):
            files = sorted(str(file) for file in (store / folder).rglob("*.parquet"))
            sql.execute(
                f"create view {name} as select * from read_parquet({files})"
                if files
                else f"create view {name} as select null::varchar as declaration_id, "
                "null::varchar as own_number, null::int as line_no, null::double as quantity, "
                "null::varchar as unit, "
                "null::timestamptz as sent_at, null::varchar as action where false"
            )
        sql.execute(_RETURNS)
        yield sql

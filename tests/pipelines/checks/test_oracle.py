"""The checks of documents recomputed in SQL, from the files of random stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import duckdb
import polars as pl
import pytest

from configs.reference.facts import load_reference
from features.contract.china_time import closing_moment
from pipelines.cli.main import run
from tests.features.checked_days import CLOSE, DAY, LINE, ORDER, PAYMENT, WAYBILL, Row
from tests.pipelines.documents_in_store import findings_of, make_documents

DAYS = [DAY - timedelta(days=2), DAY - timedelta(days=1), DAY]
COMPARED = (
    *("amount", "goods", "buyer", "consignee", "weight", "order_missing", "payment_missing"),
    *("waybill_missing", "waybill_reused", "payment_reused", "paid_late"),
)


class Lottery:
    """Rows that mostly agree, and sometimes do not in one thing or another."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)

    def mostly(self, usual: Any, *others: Any, often: float = 0.85) -> Any:
        return usual if self.draw.random() < often else self.draw.choice(others)

    def parcel(self, number: int) -> tuple[list[Row], dict[str, list[Row]]]:
        """An inventory of one to three lines, and those of its documents that there are."""
        day = self.draw.choice(DAYS)
        declared = closing_moment(day) - timedelta(hours=self.draw.uniform(1, 23))
        near = f"{self.draw.randrange(60)}"
        order = self.mostly(f"O{number}", f"O{near}", None, often=0.92)
        key = {"platform_id": self.mostly("EBP1", "EBP2", None), "order_id": order}
        whose = {"carrier_id": self.mostly("C1", "C2", None)}
        whose |= {"waybill_id": self.mostly(f"W{number}", f"W{near}", None, often=0.92)}
        currency = self.mostly("CNY", "USD")
        parcel = {
            **key,
            **whose,
            "declaration_id": f"INV{number:04d}",
            "declared_at": declared,
            "sent_at": self.mostly(declared, None),
            "direction": self.mostly("import", "export", None),
            "trade_mode": self.mostly("9610", "1210", "1239", "mail", "9710", None),
            "buyer_id": self.mostly("ann", "bob", None),
            "address_id": self.mostly("lane 1", "lane 2", None),
            "gross_weight_kg": self.mostly(1.0, 1.1, 1.2, 5.0, None),
        }
        count = self.draw.randrange(1, 4)
        lines = [LINE | parcel | self.goods(line, currency) for line in range(1, count + 1)]
        return lines, self.documents(key, whose, count, currency, day)

    def goods(self, line: int, currency: str) -> dict[str, Any]:
        return {
            "line_no": line,
            "item_no": self.mostly(f"SKU{line}", f" sku{line} ", "OTHER", None),
            "quantity": self.mostly(2.0, 3.0, None),
            "unit_price": self.mostly(100.0, 100.004, 100.5, None),
            "total_price": self.mostly(200.0, 200.5, 199.8, 260.0),
            "currency": self.mostly(currency, "CNY", often=0.95),
        }

    def documents(self, key: Row, whose: Row, count: int, currency: str, day: date) -> dict[str, list[Row]]:
        orders, payments, waybills = [], [], []
        transaction = {"payment_company_id": self.mostly("PAY1", "PAY2", None)}
        transaction |= {"transaction_id": f"T{self.draw.randrange(150)}"}
        if None not in key.values() and self.draw.random() < 0.9:
            goods = 200.0 * count
            paid = goods + self.mostly(23.2, 23.9, 60.0)
            head = {
                "goods_value": goods,
                "freight": self.mostly(10.0, None),
                "discount": self.mostly(5.0, None),
                "paid_total": self.mostly(paid, None),
                "paid_currency": self.mostly(currency, "CNY", None),
                "buyer_id": self.mostly("ann", "cid", None),
                "address_id": self.mostly("lane 1", "lane 3", None),
                "sent_at": self.moment(day),
            }
            orders = [
                ORDER | key | transaction | head | self.goods(line, currency) for line in range(1, count + 1)
            ]
            parts = self.draw.choice([0, 1, 1, 1, 2])
            for part in range(parts):
                payment = {
                    "amount": self.mostly(paid / parts, 7.0, None),
                    "currency": self.mostly(currency, "CNY", None),
                    "payer_id": self.mostly("ann", "dan", None),
                    "paid_at": self.mostly(CLOSE - timedelta(days=9), closing_moment(day), None),
                    "sent_at": self.moment(day),
                    "transaction_id": self.mostly(transaction["transaction_id"], f"T{part}", None),
                }
                payments.append(PAYMENT | key | transaction | payment)
        if None not in whose.values() and self.draw.random() < 0.9:
            carried = {"gross_weight_kg": self.mostly(1.0, 1.09, 4.5, None), "sent_at": self.moment(day)}
            waybills = [WAYBILL | whose | carried | {"address_id": self.mostly("lane 1", "lane 4", None)}]
        return {"orders": orders, "payments": payments, "waybills": waybills}

    def moment(self, day: date) -> datetime:
        """When a message was sent: mostly before the day, sometimes just before or after its close."""
        return closing_moment(day) + timedelta(hours=self.mostly(-30, -1, 1, 30))

    def with_versions(self, rows: list[Row], key: tuple[str, ...], changed: str, other: Any) -> list[Row]:
        """One document a key, some of them with what they said before."""
        last: dict[Any, Any] = {}
        for row in rows:
            last.setdefault(tuple(row[name] for name in key), row["sent_at"])
        kept = [row for row in rows if last[tuple(row[name] for name in key)] == row["sent_at"]]
        versions = []
        for row in kept:
            if row[key[-1]] is not None and int(row[key[-1]][1:]) % 7 == 0:
                earlier = row["sent_at"] - timedelta(hours=20)
                ends = {"sent_at": earlier, "held_until": row["sent_at"], "action": "new", "part": ""}
                versions.append(row | {changed: other} | ends)
        return [*kept, *versions]


@pytest.fixture(scope="module", params=[1, 2, 3])
def connection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A database over the files of a checked store, and its path."""
    lottery = Lottery(request.param)
    lines: list[Row] = []
    tables: dict[str, list[Row]] = {"orders": [], "payments": [], "waybills": []}
    for number in range(700):
        parcel, documents = lottery.parcel(number)
        # The last line of some orders comes in a parcel of its own, on the same day or another.
        if number % 5 == 0 and len(parcel) > 1:
            days = timedelta(days=lottery.draw.choice([0, 0, 1]))
            apart = {"declaration_id": f"PART{number:04d}", "waybill_id": f"W{number}B", "sent_at": None}
            parcel[-1] = parcel[-1] | apart | {"declared_at": parcel[-1]["declared_at"] - days}
        lines += parcel
        for name, rows in documents.items():
            tables[name] += rows
    tables["orders"] = _one_a_line(tables["orders"])
    tables["orders"] = lottery.with_versions(tables["orders"], ("platform_id", "order_id"), "paid_total", 1.0)
    payment_key = ("platform_id", "order_id", "payment_company_id", "transaction_id")
    tables["payments"] = _first_of(tables["payments"], payment_key)
    tables["payments"] = lottery.with_versions(tables["payments"], payment_key, "amount", 3.0)
    tables["waybills"] = _first_of(tables["waybills"], ("carrier_id", "waybill_id"))
    tables["waybills"] = lottery.with_versions(
        tables["waybills"], ("carrier_id", "waybill_id"), "gross_weight_kg", 9.0
    )
    withdrawn = [
        row | {"action": "new", "part": "", "held_until": closing_moment(day) + timedelta(hours=hours)}
        for number, (day, hours) in enumerate([(DAYS[0], 1), (DAYS[1], 20), (DAYS[2], -2)] * 5)
        for row in lottery.parcel(2_000 + number)[0]
    ]
    path = tmp_path_factory.mktemp("oracle") / "S"
    store = make_documents(path, lines, withdrawn, bucket_rows=300, **tables)
    arguments = ["check", "--store", str(path), "--date", str(DAYS[0]), "--to", str(DAYS[-1]), "--quiet"]
    assert run(arguments) == 0
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    for table in ("declarations", "orders", "payments", "waybills"):
        now, past = (f"{path}/{folder}{table}/*/*.parquet" for folder in ("", "changes/"))
        database.execute(
            f"""CREATE VIEW {table} AS FROM read_parquet(['{now}', '{past}'], union_by_name = true,
            hive_partitioning = false)"""
        )
    rates = load_reference().on(DAY)["exchange_rates"].select("currency", "cny_per_unit").rows()
    database.execute("CREATE TABLE rates (currency VARCHAR, rate DOUBLE)")
    database.executemany("INSERT INTO rates VALUES (?, ?)", rates)
    yield store, database
    database.close()


def _first_of(rows: list[Row], key: tuple[str, ...]) -> list[Row]:
    return list({tuple(row[name] for name in key): row for row in reversed(rows)}.values())


def _one_a_line(rows: list[Row]) -> list[Row]:
    """The lines of the first order of each number."""
    first: dict[Any, Any] = {}
    for row in rows:
        first.setdefault((row["platform_id"], row["order_id"]), row["goods_value"])
    rows = [row for row in rows if first[row["platform_id"], row["order_id"]] == row["goods_value"]]
    heads = {
        (row["platform_id"], row["order_id"]): {
            name: row[name]
            for name in ("sent_at", "freight", "discount", "paid_total", "paid_currency", "buyer_id")
        }
        | {name: row[name] for name in ("address_id", "payment_company_id", "transaction_id")}
        for row in reversed(rows)
    }
    merged = [row | heads[row["platform_id"], row["order_id"]] for row in rows]
    return _first_of(merged, ("platform_id", "order_id", "line_no"))


KNOWN = """
CREATE OR REPLACE TEMP MACRO china_day(moment) AS CAST(moment + INTERVAL 8 HOUR AS DATE);
CREATE OR REPLACE TEMP VIEW known_lines AS FROM declarations
    WHERE coalesce(sent_at < $close, true) AND (held_until IS NULL OR held_until >= $close)
    AND china_day(declared_at) <= $day;
CREATE OR REPLACE TEMP VIEW lines AS FROM known_lines WHERE china_day(declared_at) = $day;
CREATE OR REPLACE TEMP VIEW o AS FROM orders
    WHERE sent_at < $close AND (held_until IS NULL OR held_until >= $close);
CREATE OR REPLACE TEMP VIEW p AS FROM payments
    WHERE sent_at < $close AND (held_until IS NULL OR held_until >= $close);
CREATE OR REPLACE TEMP VIEW w AS FROM waybills
    WHERE sent_at < $close AND (held_until IS NULL OR held_until >= $close);
CREATE OR REPLACE TEMP VIEW parcels AS SELECT DISTINCT declaration_id, direction, trade_mode, platform_id,
    order_id, carrier_id, waybill_id, buyer_id, address_id, gross_weight_kg,
    coalesce(direction, 'import') = 'import' AND coalesce(trade_mode, '') NOT IN ('9710', '9810') AS inbound,
    coalesce(direction = 'import' AND trade_mode IN ('9610', '1210', '1239'), false) AS retail FROM lines;
CREATE OR REPLACE TEMP VIEW uses AS
    SELECT payment_company_id AS c, transaction_id AS t, platform_id, order_id FROM p
    UNION SELECT payment_company_id, transaction_id, platform_id, order_id FROM o;
"""
FINDINGS = """
SELECT declaration_id, NULL AS line_no, 'order_missing' AS name FROM parcels q WHERE retail AND NOT EXISTS
    (FROM o WHERE o.platform_id = q.platform_id AND o.order_id = q.order_id)
UNION ALL SELECT declaration_id, NULL, 'payment_missing' FROM parcels q WHERE retail AND NOT EXISTS
    (FROM p WHERE p.platform_id = q.platform_id AND p.order_id = q.order_id)
UNION ALL SELECT declaration_id, NULL, 'waybill_missing' FROM parcels q WHERE retail AND NOT EXISTS
    (FROM w WHERE w.carrier_id = q.carrier_id AND w.waybill_id = q.waybill_id)
UNION ALL SELECT declaration_id, NULL, 'weight' FROM parcels q JOIN w USING (carrier_id, waybill_id)
    WHERE abs(q.gross_weight_kg - w.gross_weight_kg)
        > greatest(0.1, q.gross_weight_kg / 10, w.gross_weight_kg / 10) + 1e-9
UNION ALL SELECT l.declaration_id, l.line_no, 'goods' FROM lines l
    JOIN o USING (platform_id, order_id, line_no)
    WHERE upper(trim(l.item_no)) <> upper(trim(o.item_no)) OR abs(l.quantity - o.quantity) > 0.00001
    OR (abs(l.unit_price - o.unit_price) > 0.0051
        AND coalesce(l.currency, o.currency) = coalesce(o.currency, l.currency))
UNION ALL SELECT declaration_id, NULL, 'buyer' FROM (
    SELECT declaration_id, buyer_id AS who FROM parcels WHERE inbound
    UNION SELECT declaration_id, o.buyer_id FROM parcels JOIN o USING (platform_id, order_id) WHERE inbound
    UNION SELECT declaration_id, payer_id FROM parcels JOIN p USING (platform_id, order_id) WHERE inbound
    ) GROUP BY declaration_id HAVING count(DISTINCT who) > 1
UNION ALL SELECT declaration_id, NULL, 'consignee' FROM (
    SELECT declaration_id, address_id AS place FROM parcels WHERE inbound
    UNION SELECT declaration_id, o.address_id FROM parcels JOIN o USING (platform_id, order_id) WHERE inbound
    UNION SELECT declaration_id, w.address_id FROM parcels JOIN w USING (carrier_id, waybill_id) WHERE inbound
    ) GROUP BY declaration_id HAVING count(DISTINCT place) > 1
UNION ALL SELECT DISTINCT declaration_id, NULL, 'paid_late' FROM parcels JOIN p USING (platform_id, order_id)
    WHERE inbound AND paid_at >= $close
UNION ALL SELECT DISTINCT q.declaration_id, NULL, 'waybill_reused' FROM parcels q JOIN known_lines k
    USING (carrier_id, waybill_id) WHERE q.declaration_id <> k.declaration_id
UNION ALL SELECT DISTINCT q.declaration_id, NULL, 'payment_reused' FROM parcels q
    JOIN uses mine USING (platform_id, order_id)
    JOIN uses other ON mine.c = other.c AND mine.t = other.t
        AND (mine.platform_id, mine.order_id) <> (other.platform_id, other.order_id)
    JOIN known_lines k ON k.platform_id = other.platform_id AND k.order_id = other.order_id
    WHERE inbound AND q.declaration_id <> k.declaration_id
UNION ALL SELECT declaration_id, NULL, 'amount' FROM (
    SELECT declaration_id,
        any_value(o.goods_value + o.freight + o.tax_total - o.discount) AS owed,
        any_value(o.paid_total) AS paid, any_value(o.paid_currency) AS paid_in
        FROM parcels JOIN o USING (platform_id, order_id) GROUP BY declaration_id)
    JOIN (SELECT declaration_id, sum(l.total_price) AS declared, min(l.currency) AS declared_in,
        count(DISTINCT l.currency) AS declared_currencies, any_value(platform_id) AS platform_id,
        any_value(order_id) AS order_id FROM lines l GROUP BY declaration_id) USING (declaration_id)
    LEFT JOIN (SELECT platform_id, order_id, sum(total_price) AS ordered, min(currency) AS ordered_in,
        count(DISTINCT currency) AS ordered_currencies FROM o GROUP BY ALL) USING (platform_id, order_id)
    LEFT JOIN (SELECT platform_id, order_id, sum(total_price) AS together, min(currency) AS together_in,
        count(DISTINCT currency) AS together_currencies FROM known_lines GROUP BY ALL)
        USING (platform_id, order_id)
    LEFT JOIN (SELECT platform_id, order_id, sum(amount) AS payment, min(currency) AS payment_in,
        count(DISTINCT currency) AS payment_currencies, bool_or(amount IS NULL) AS unknown
        FROM p GROUP BY ALL) USING (platform_id, order_id)
    LEFT JOIN rates a ON a.currency = paid_in LEFT JOIN rates b ON b.currency = ordered_in
    WHERE abs(owed - paid) * coalesce(a.rate, 1) > 1.000001
    OR (NOT unknown AND payment_currencies <= 1 AND coalesce(payment_in = paid_in, true)
        AND abs(payment - paid) * coalesce(a.rate, 1) > 1.000001)
    OR (declared_currencies <= 1 AND ordered_currencies <= 1 AND coalesce(declared_in = ordered_in, true)
        AND abs(declared - ordered) * coalesce(b.rate, 1) > 1.000001
        AND NOT (together_currencies <= 1 AND coalesce(together_in = ordered_in, true)
            AND abs(together - ordered) * coalesce(b.rate, 1) <= 1.000001))
"""


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_sql_finds_the_same(connection: Any, day: date) -> None:
    store, database = connection
    moment, quoted = closing_moment(day).isoformat(), day.isoformat()
    for statement in (KNOWN, FINDINGS):
        sql = statement.replace("$close", f"TIMESTAMPTZ '{moment}'").replace("$day", f"DATE '{quoted}'")
        result = database.execute(sql)
    expected = sorted(result.fetchall(), key=str)
    rows = findings_of(store, day).filter(pl.col("check").is_in(COMPARED))
    found = rows.select("declaration_id", "line_no", "check").rows()
    assert sorted(found, key=str) == expected
    # Each of them is found somewhere, and none everywhere.
    counts = {name: sum(row[2] == name for row in found) for name in COMPARED}
    assert min(counts.values()) > 0, counts

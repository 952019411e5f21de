"""What becomes of the fields of an inventory: codes, moments, costs, names, the buyer."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.pipelines.ceb_documents import (
    exported,
    imported,
)


def test_unknown_codes_stay_for_the_contract_to_judge(tmp_path: Path) -> None:
    row = imported(tmp_path, {"country": "999", "tradeMode": "0110"}, {"country": "us", "currency": "777"})

    assert (row["dispatch_country"], row["origin_country"]) == ("999", "US")
    assert (row["currency"], row["trade_mode"]) == ("777", "other")


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        ("20261120093000", datetime(2026, 11, 20, 1, 30, tzinfo=UTC)),
        ("20261120093000250", datetime(2026, 11, 20, 1, 30, 0, 250_000, tzinfo=UTC)),
        ("20261120000000", datetime(2026, 11, 19, 16, 0, tzinfo=UTC)),
        ("20261320093000", None),
        ("00010101000000", None),
        ("20261120240000", datetime(2026, 11, 20, 16, 0, tzinfo=UTC)),
        ("2026-11-20 09:30:00", datetime(2026, 11, 20, 1, 30, tzinfo=UTC)),
        ("2026-11-20T09:30:00Z", datetime(2026, 11, 20, 9, 30, tzinfo=UTC)),
        ("2026/11/2 9:30", datetime(2026, 11, 2, 1, 30, tzinfo=UTC)),
        ("２０２６１１２００９３０００", datetime(2026, 11, 20, 1, 30, tzinfo=UTC)),
        ("2026-11-20", datetime(2026, 11, 19, 16, 0, tzinfo=UTC)),
        ("20310101000000", None),
        ("2026-11-20 02:15:00 PM", None),
        (None, None),
    ],
)
def test_the_moment_of_the_message(tmp_path: Path, moment: str | None, at: datetime | None) -> None:
    assert imported(tmp_path, {"appTime": moment}, {})["_message_at"] == at


def test_the_day_of_declaration(tmp_path: Path) -> None:
    assert imported(tmp_path, {"declTime": "20261120235959"}, {})["declared_at"] == "20261120235959"
    exact = imported(tmp_path, {"declTime": "20261120235959250"}, {})["declared_at"]
    assert exact == "2026-11-20T23:59:59.250"
    assert imported(tmp_path, {"declTime": "soon"}, {})["declared_at"] == "soon"
    assert imported(tmp_path, {"declTime": None}, {})["declared_at"] is None
    assert exported(tmp_path, {"declTime": "20261119"}, {})["declared_at"] == "20261119"
    assert exported(tmp_path, {"appTime": "late"}, {})["declared_at"] == "late"


def test_costs_in_another_currency_are_left_out_and_named(tmp_path: Path) -> None:
    row = exported(tmp_path, {"fCurrency": "502", "insuredFee": "3", "iFlag": "1"}, {})
    assert (row["freight"], row["insurance"]) == (None, None)
    assert row["_nulled"] == ["freight:other_currency", "insurance:not_an_amount"]

    row = exported(tmp_path, {"freight": "0.00", "fCurrency": "502", "fFlag": "1"}, {})
    assert (row["freight"], row["_nulled"]) == ("0.00", None)

    row = imported(tmp_path, {"currency": "502"}, {})
    assert (row["freight"], row["_nulled"]) == (None, ["freight:other_currency"])


def test_goods_names_and_barcodes(tmp_path: Path) -> None:
    assert imported(tmp_path, {}, {"gname": None})["item_name"] == "面霜"
    assert imported(tmp_path, {}, {"barCode": "无"})["barcode"] is None


def test_simplified_exports_state_a_heading_only(tmp_path: Path) -> None:
    assert exported(tmp_path, {"statisticsFlag": "A"}, {"gcode": "9503"})["hs_code"] == "9503000000"
    assert exported(tmp_path, {"statisticsFlag": "B"}, {"gcode": "9503"})["hs_code"] == "9503"
    assert exported(tmp_path, {"statisticsFlag": "A"}, {"gcode": "9503008900"})["hs_code"] == "9503008900"


def test_a_flag_on_the_inventory_goes_before_the_message_type(tmp_path: Path) -> None:
    assert imported(tmp_path, {"ieFlag": "E"}, {})["direction"] == "export"
    assert imported(tmp_path, {"ieFlag": "?"}, {})["direction"] == "import"


def test_a_buyer_without_number_is_told_by_name_and_telephone(tmp_path: Path) -> None:
    one = imported(tmp_path, {"buyerIdNumber": None}, {})["buyer_id"]

    assert (
        one == imported(tmp_path, {"buyerIdNumber": None, "buyerTelephone": "139 0000 1111"}, {})["buyer_id"]
    )
    assert one != imported(tmp_path, {"buyerIdNumber": None, "buyerTelephone": "1"}, {})["buyer_id"]
    assert imported(tmp_path, {"buyerIdNumber": None, "buyerName": None}, {})["buyer_id"] is None

"""A reference table is checked cell by cell, and a mistake is named by line and column."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

import configs.reference
from configs.errors import ConfigurationError
from configs.reference.tables import TABLES, read_table

BY_NAME = {table.name: table for table in TABLES}
RATES = "currency,cny_per_unit,valid_from\nCNY,1,2016-01-01\n"


def _read(tmp_path: Path, text: str, name: str = "exchange_rates") -> pl.DataFrame:
    path = tmp_path / f"{name}.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path, BY_NAME[name])


def test_every_packaged_file_is_a_table() -> None:
    packaged = Path(configs.reference.__file__).parent.glob("*.csv")
    assert sorted(path.stem for path in packaged) == sorted(BY_NAME)


def test_cells_get_their_types(tmp_path: Path) -> None:
    frame = _read(tmp_path, "# a note\n\n" + RATES + "# another\nUSD , 6.97,2020-01-01\n")
    assert frame.to_dicts() == [
        {"currency": "CNY", "cny_per_unit": 1.0, "valid_from": date(2016, 1, 1)},
        {"currency": "USD", "cny_per_unit": 6.97, "valid_from": date(2020, 1, 1)},
    ]


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    frame = _read(tmp_path, "valid_from,cny_per_unit,currency\n2016-01-01,1,CNY\n")
    assert frame.columns == ["currency", "cny_per_unit", "valid_from"]


def test_keywords_are_split_and_without_case(tmp_path: Path) -> None:
    text = (
        "hs_prefix,name_en,name_zh,keywords_en,keywords_zh,valid_from\n01,A,甲,Live Ant| bee |,,2016-01-01\n"
    )
    frame = _read(tmp_path, text, "headings")
    assert frame["keywords_en"].to_list() == [["live ant", "bee"]]
    assert frame["keywords_zh"].to_list() == [None]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("usd,7,2020-01-01", "line 3, column currency: expected an ISO 4217 code .*; came 'usd'"),
        ("USD,seven,2020-01-01", "line 3, column cny_per_unit: expected CNY for one unit.*; came 'seven'"),
        ("USD,-7,2020-01-01", "line 3, column cny_per_unit: .*; came '-7'"),
        ("USD,0,2020-01-01", "line 3, column cny_per_unit: .*; came '0'"),
        ("USD,nan,2020-01-01", "line 3, column cny_per_unit: .*; came 'nan'"),
        ("USD,inf,2020-01-01", "line 3, column cny_per_unit: .*; came 'inf'"),
        ("USD,,2020-01-01", "line 3, column cny_per_unit: .*; came ''"),
        (",7,2020-01-01", "line 3, column currency: .*; came ''"),
        (
            "USD,7,01/02/2020",
            "line 3, column valid_from: expected a date such as 2019-01-01; came '01/02/2020'",
        ),
        ("USD,7,", "line 3, column valid_from: .*; came ''"),
        ("# note\nUSD,x,2020-01-01", "line 4, column cny_per_unit"),
        ("CNY,1,2016-01-01", "lines 2, 3: the same currency with the same valid_from stands twice"),
    ],
)
def test_wrong_cells(tmp_path: Path, rows: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"exchange_rates\.csv:\n  {message}"):
        _read(tmp_path, RATES + rows + "\n")


def test_at_most_five_problems_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"us{number},7,2020-01-01\n" for number in range(9))
    with pytest.raises(ConfigurationError, match="and 4 more") as caught:
        _read(tmp_path, RATES + rows)
    assert str(caught.value).count("line ") == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected the columns currency, cny_per_unit, valid_from and rows; came none"),
        ("currency,cny_per_unit,valid_from\n", "and rows; came none"),
        ("currency,cny_per_units,valid_from\nCNY,1,2016-01-01\n", "Did you mean 'cny_per_unit'"),
        ("currency;cny_per_unit;valid_from\nCNY;1;2016-01-01\n", "expected the columns"),
        (RATES + "USD,7,2020-01-01,more\n", "not a CSV table that can be read"),
        (RATES + '"US\nD",7,2020-01-01\n', "write each row on one line"),
        ("currency,cny_per_unit,valid_from\nUSD,7,2016-01-01\n", "column currency: expected rows for CNY"),
    ],
)
def test_wrong_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        _read(tmp_path, text)


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "units.csv"
    path.write_bytes("code,name\n007,个\n".encode("gb18030"))
    with pytest.raises(ConfigurationError, match="expected UTF-8 text"):
        read_table(path, BY_NAME["units"])


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        read_table(tmp_path / "units.csv", BY_NAME["units"])

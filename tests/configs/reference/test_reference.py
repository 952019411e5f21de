"""The packaged reference tables: facts carried over, dated, and found again."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from configs.errors import ConfigurationError
from configs.loader import reference_path
from configs.reference.facts import Reference, load_reference
from configs.reference.limit import Limit

# The working list has Madagascar under 229. Customs' table has it under 227, and Mali under 229.
CORRECTED = {"229"}


@pytest.fixture(scope="module")
def reference() -> Reference:
    return load_reference()


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_country_and_currency_codes_are_carried_over(reference: Reference, shared: Path) -> None:
    day = reference.on(date(2026, 11, 20))
    countries, currencies = (
        dict(day[table].select("customs_code", "iso").iter_rows()) for table in ("countries", "currencies")
    )
    for row in _rows(shared / "ceb" / "country_currency_codes.csv"):
        code = row["customs_code"]
        if row["country_iso"] and code not in CORRECTED:
            assert countries[code] == row["country_iso"]
        if row["currency_iso"]:
            assert currencies[code] == row["currency_iso"]
    assert (countries["227"], countries["229"], countries.get("999")) == ("MG", "ML", None)


def test_unit_codes_are_carried_over(reference: Reference, shared: Path) -> None:
    names = dict(reference.on(date(2026, 11, 20))["units"].select("code", "name_zh").iter_rows())
    assert names == {row["code"]: row["name"] for row in _rows(shared / "ceb" / "customs_unit_codes.csv")}


def test_factors_of_units(reference: Reference) -> None:
    day = reference.on(date(2026, 11, 20))
    units = pl.Series("unit", ["035", "036", "070", "076", "007", "127", "142", "000", None])
    assert day.kg_factor(units).to_list() == [1.0, 0.001, 1000.0, 0.45359237, None, None, None, None, None]
    assert day.pieces_factor(units).to_list() == [None, None, None, None, 1.0, 12.0, 1.0, None, None]


def test_a_unit_is_a_weight_or_a_count(reference: Reference) -> None:
    both = reference.tables["units"].filter(
        pl.col("kg_factor").is_not_null() & pl.col("pieces_factor").is_not_null()
    )
    assert both.is_empty()


def test_every_currency_has_a_rate_since_2016(reference: Reference) -> None:
    for day in (date(2016, 1, 1), date(2020, 7, 1), date(2026, 11, 20)):
        rates = reference.on(day).cny_rate(reference.tables["currencies"]["iso"])
        assert rates.null_count() == 0
    assert reference.tables["currencies"]["iso"].n_unique() >= 30


def test_unknown_currencies_and_days_before_the_first_rate_are_null(reference: Reference) -> None:
    currencies = pl.Series("currency", ["CNY", "XAU", None])
    assert reference.on(date(2020, 1, 1)).cny_rate(currencies).to_list() == [1.0, None, None]
    assert reference.on(date(2015, 12, 31)).cny_rate(currencies).to_list() == [1.0, None, None]
    assert reference.on(date(2015, 12, 31)).cny_rate(pl.Series(["USD"])).to_list() == [None]


def test_a_missing_column_is_looked_up_as_nulls(reference: Reference) -> None:
    nothing = pl.Series("currency", [None, None])
    assert reference.on(date(2020, 1, 1)).cny_rate(nothing).to_list() == [None, None]


@pytest.mark.parametrize(
    ("day", "order", "year"),
    [
        (date(2010, 8, 31), None, None),
        # Before retail imports had limits of their own, they had that of personal articles.
        (date(2010, 9, 1), 1_000, None),
        (date(2016, 4, 7), 1_000, None),
        (date(2016, 4, 8), 2_000, 20_000),
        (date(2018, 12, 31), 2_000, 20_000),
        (date(2019, 1, 1), 5_000, 26_000),
        (date(2026, 11, 20), 5_000, 26_000),
    ],
)
def test_limits_follow_their_dates(
    reference: Reference, day: date, order: float | None, year: float | None
) -> None:
    held = reference.on(day)
    assert (held.order_limit_cny, held.yearly_allowance_cny) == (order, year)
    articles = (1_000, 800, 50) if day >= date(2010, 9, 1) else (None, None, None)
    names = ("articles_limit_cny", "articles_limit_nearby_cny", "articles_free_tax_cny")
    assert tuple(held.limit_cny(name) for name in names) == articles


def test_a_limit_that_is_not_there(reference: Reference) -> None:
    assert reference.on(date(2020, 1, 1)).limit("speed_limit") is None


def test_a_limit_says_its_notice_and_since_when_it_holds(reference: Reference) -> None:
    limit = reference.on(date(2020, 1, 1)).limit("order_limit_cny")
    assert limit == Limit(5_000.0, date(2019, 1, 1), "MOF, GACC and STA notice 2018-49")


def test_after_its_end_a_limit_is_not_known(tmp_path: Path) -> None:
    text = reference_path("limits.csv").read_text(encoding="utf-8")
    (tmp_path / "reference").mkdir()
    ended = text.replace("5000,2019-01-01,,", "5000,2019-01-01,2027-12-31,")
    (tmp_path / "reference" / "limits.csv").write_text(ended, encoding="utf-8")
    reference = load_reference(tmp_path)
    assert reference.on(date(2027, 12, 31)).order_limit_cny == 5_000
    after = reference.on(date(2028, 1, 1))
    assert after.order_limit_cny is None
    assert after.limit("order_limit_cny") == Limit(
        5_000.0, date(2019, 1, 1), "MOF, GACC and STA notice 2018-49", is_known=False
    )


def test_a_table_of_a_time_before_notices_is_one(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    names = (
        *("order_limit_cny", "yearly_allowance_cny", "articles_limit_cny"),
        *("articles_limit_nearby_cny", "articles_free_tax_cny"),
    )
    rows = "".join(f"{name},7,2000-01-01,\n" for name in names)
    (tmp_path / "reference" / "limits.csv").write_text(
        "name,value,valid_from,note\n" + rows, encoding="utf-8"
    )
    assert load_reference(tmp_path).on(date(2020, 1, 1)).order_limit_cny == 7


@pytest.mark.parametrize("table", ["limits", "taxes", "tax_bands", "modes"])
def test_every_row_of_the_law_has_its_notice(reference: Reference, table: str) -> None:
    rows = reference.tables[table]
    assert rows["notice"].null_count() == 0
    assert rows["valid_from"].min() >= date(1994, 1, 1)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("tax", "band", "before", "days"),
    [
        ("vat", "standard", 0.17, {(2018, 5, 1): 0.16, (2019, 4, 1): 0.13}),
        ("vat", "reduced", 0.13, {(2017, 7, 1): 0.11, (2018, 5, 1): 0.10, (2019, 4, 1): 0.09}),
        ("mail", "necessities", None, {(2012, 4, 15): 0.10, (2016, 4, 8): 0.15, (2019, 4, 9): 0.13}),
        ("mail", "goods", None, {(2012, 4, 15): 0.20, (2016, 4, 8): 0.30, (2018, 11, 1): 0.25,
                                 (2019, 4, 9): 0.20}),
        ("mail", "special", None, {(2012, 4, 15): 0.30}),
        ("mail", "luxury", None, {(2012, 4, 15): 0.50, (2016, 4, 8): 0.60, (2018, 11, 1): 0.50}),
        ("retail_share", "all", None, {(2016, 4, 8): 0.70}),
        ("retail_share", "one_article", None, {(2019, 1, 1): 1.0}),
        ("retail_duty", "all", None, {(2016, 4, 8): 0.0}),
        ("consumption", "cosmetics", 0.30, {(2016, 10, 1): 0.15}),
        ("consumption", "e_cigarettes", None, {(2022, 11, 1): 0.36}),
    ],
)  # fmt: skip
def test_rates_change_on_their_day_and_no_other(
    reference: Reference, tax: str, band: str, before: float | None, days: dict[tuple[int, int, int], float]
) -> None:
    held = before
    for parts, rate in days.items():
        day = date(*parts)
        rates = [_rate(reference, day + timedelta(days=away), tax, band) for away in (-1, 0, 1)]
        assert rates == [held, rate, rate]
        held = rate


def _rate(reference: Reference, day: date, tax: str, band: str) -> float | None:
    rows = reference.on(day)["taxes"].filter(pl.col("tax") == tax, pl.col("band") == band)
    return rows["rate"].item() if rows.height else None


@given(day=st.dates(date(2010, 1, 1), date(2030, 1, 1)))
def test_each_key_holds_once_a_day_and_nothing_holds_early(reference: Reference, day: date) -> None:
    held = reference.on(day)
    assert held.since <= day
    for frame, key in (
        (held["countries"], ["customs_code"]),
        (held["exchange_rates"], ["currency"]),
        (held["taxes"], ["tax", "band"]),
        (held["watch_terms"], ["term", "group"]),
    ):
        assert not frame.select(key).is_duplicated().any()
        assert (frame["valid_from"] <= day).all()


def test_days_between_two_changes_share_their_tables(reference: Reference) -> None:
    assert reference.on(date(2020, 10, 1)) is reference.on(date(2020, 11, 1))
    assert reference.on(date(2020, 1, 1) - timedelta(days=1)) is not reference.on(date(2020, 1, 1))


def test_headings_cover_every_chapter(reference: Reference) -> None:
    prefixes = reference.tables["headings"]["hs_prefix"].to_list()
    assert {f"{chapter:02d}" for chapter in range(1, 98) if chapter != 77} <= set(prefixes)
    assert len(prefixes) >= 200
    assert all(prefix[:2] in prefixes for prefix in prefixes)
    assert all(reference.tables["headings"]["keywords_en"].list.len() > 0)
    assert all(reference.tables["headings"]["keywords_zh"].list.len() > 0)


def test_watch_terms_cover_groups_languages_and_scripts(reference: Reference) -> None:
    terms = reference.tables["watch_terms"]
    assert terms.height >= 400
    assert {"zh", "en", "la", "ja", "de", "th", "vi"} <= set(terms["language"])
    assert {"hans", "hant", "latn", "jpan", "thai"} <= set(terms["script"])
    assert reference.on(date(2020, 1, 1)).watch_groups == tuple(sorted(set(terms["group"])))
    assert all(len(term) >= 2 for term in terms["term"])


@pytest.mark.parametrize(
    ("species", "group"),
    [
        ("Psalmopoeus irminia", "invertebrate"),
        ("Trimeresurus albolabris", "reptile"),
        ("活体蚂蚁", "invertebrate"),
        ("大麻种子", "drug"),
        ("象牙", "wildlife_product"),
    ],
)
def test_what_was_seized_is_watched_for(reference: Reference, species: str, group: str) -> None:
    found = reference.tables["watch_terms"].filter(pl.col("term").str.to_lowercase() == species.lower())
    assert found["group"].to_list() == [group]


def test_groups_without_terms_on_a_day_are_still_known(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "watch_terms.csv").write_text(
        "term,group,language,script,valid_from\nant,insect,en,latn,2016-01-01\neel,fish,en,latn,2024-01-01\n",
        encoding="utf-8",
    )
    held = load_reference(tmp_path).on(date(2020, 1, 1))
    assert held["watch_terms"]["term"].to_list() == ["ant"]
    assert held.watch_groups == ("fish", "insect")


def test_real_rates_laid_over(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "exchange_rates.csv").write_text(
        "currency,cny_per_unit,valid_from\nCNY,1,2020-01-01\nUSD,7.1,2020-01-01\nUSD,7.2,2020-02-01\n",
        encoding="utf-8",
    )
    reference = load_reference(tmp_path)
    currencies = pl.Series(["USD", "JPY"])
    assert reference.on(date(2020, 1, 31)).cny_rate(currencies).to_list() == [7.1, None]
    assert reference.on(date(2020, 2, 1)).cny_rate(currencies).to_list() == [7.2, None]


def test_a_band_without_a_rate_is_refused(tmp_path: Path) -> None:
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "tax_bands.csv").write_text(
        "tax,hs_prefix,band,min_cny_per_kg,min_cny_per_sheet,min_cny_per_piece,valid_from\n"
        "vat,,standard,,,,2000-01-01\nmail,,goods,,,,2000-01-01\nvat,95,playful,,,,2000-01-01\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigurationError, match=r"taxes\.csv gives a rate; came 'playful' of 'vat'"):
        load_reference(tmp_path)

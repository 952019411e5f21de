"""Invented persons behind the pseudonyms of a simulated world: the same pseudonym, the same person.

A message says who somebody is, a table only which one. All of it is a function of a seed and the pseudonym,
so that a world of any size needs no list of its people. The numbers are made from GB 11643 and not with
`privacy.person_numbers`, whose masking they try.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from features.arrays.hashing import hash_text
from pipelines.simulation.world.randomness import Ints, mix, salt

_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECKS: Final = pl.Series(list("10X98765432"))
_PROVINCES: Final = np.array(
    [*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 54), *(61, 62)]
)
_FAMILY: Final = pl.Series(list("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"))
_GIVEN: Final = pl.Series(list("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲桂英华玉萍红建文辉力琴云飞"))
_TOWNS: Final = pl.Series(
    [
        "浙江省杭州市西湖区", "广东省深圳市南山区", "江苏省南京市玄武区", "四川省成都市武侯区",
        "湖北省武汉市洪山区", "山东省青岛市市南区", "福建省厦门市思明区", "陕西省西安市雁塔区",
        "河南省郑州市金水区", "湖南省长沙市岳麓区",
    ]
)  # fmt: skip
_ROADS: Final = pl.Series(
    ["文三路", "解放路", "人民路", "中山路", "建设路", "和平路", "新华路", "长江路", "黄河路", "学院路"]
)
_WIDE: Final = {chr(code): chr(code + 0xFEE0) for code in range(ord("0"), ord("9") + 1)}


def identity_numbers(seed: int, persons: pl.Series) -> pl.Series:
    """Return a resident's number of 18 characters for each person: region, birthday, check (GB 11643)."""

    def draw(name: str, count: int) -> Ints:
        return _draw(seed, name, persons, count)

    region = _PROVINCES[draw("province", len(_PROVINCES))] * 10_000
    region = region + (1 + draw("city", 12)) * 100 + 1 + draw("county", 20)
    birthday = (1950 + draw("year", 55)) * 10_000 + (1 + draw("month", 12)) * 100 + 1 + draw("day", 28)
    number = (region * 10**8 + birthday) * 1000 + draw("sequence", 1000)
    powers = 10 ** np.arange(16, -1, -1, dtype=np.int64)
    digits = number[:, None] // powers % 10
    body = pl.Series(number).cast(pl.String)
    return _where_known(persons, body + _CHECKS[digits @ _WEIGHTS % 11])


def telephones(seed: int, owners: pl.Series) -> pl.Series:
    """Return a mobile number of 11 digits for each owner."""
    number = 13_000_000_000 + _draw(seed, "telephone", owners, 6_999_999_999)
    return _where_known(owners, pl.Series(number).cast(pl.String))


def person_names(seed: int, persons: pl.Series) -> pl.Series:
    """Return a name of two or three characters for each person."""
    family = _FAMILY[_draw(seed, "family", persons, len(_FAMILY))]
    first, second = (_GIVEN[_draw(seed, name, persons, len(_GIVEN))] for name in ("first", "second"))
    short = pl.Series(_draw(seed, "short", persons, 4) == 0)
    return _where_known(persons, family + first.zip_with(short, first + second))


def street_addresses(seed: int, addresses: pl.Series) -> pl.Series:
    """Return a street address for each pseudonym of one."""
    number, house, room = (
        pl.Series(1 + _draw(seed, name, addresses, count)).cast(pl.String)
        for name, count in (("number", 999), ("house", 30), ("room", 2999))
    )
    town = _TOWNS[_draw(seed, "town", addresses, len(_TOWNS))]
    road = _ROADS[_draw(seed, "road", addresses, len(_ROADS))]
    return _where_known(addresses, town + road + number + "号" + house + "幢" + room + "室")


def other_spelling(text: pl.Expr, spelling: pl.Expr) -> pl.Expr:
    """Return texts as another clerk writes the same: in a wide form, with blanks, signs or small letters.

    `spelling` is `width`, `blanks`, `punctuation`, `case`, or anything else for the text as it is.
    """
    spaced = text.str.replace_all("([市区路号幢])", "${1} ")
    marked = text.str.replace("市", "市,").str.replace("路", "路（").str.replace("号", "号），")
    return (
        pl.when(spelling == "width").then(text.str.replace_many(list(_WIDE), list(_WIDE.values())))
        .when(spelling == "blanks").then(pl.concat_str(pl.lit("  "), spaced, pl.lit(" ")))
        .when(spelling == "punctuation").then(marked)
        .when(spelling == "case").then(pl.concat_str(pl.lit(" "), text.str.to_lowercase(), pl.lit("  ")))
        .otherwise(text)
    )  # fmt: skip


def _draw(seed: int, name: str, pseudonyms: pl.Series, count: int) -> Ints:
    keys = hash_text(pseudonyms.cast(pl.String).fill_null("")).to_numpy()
    return (mix(salt(seed, f"person {name}"), keys) % np.uint64(count)).astype(np.int64)


def _where_known(pseudonyms: pl.Series, texts: pl.Series) -> pl.Series:
    nothing = pl.Series([None], dtype=pl.String).new_from_index(0, len(texts))
    return texts.zip_with(pseudonyms.is_not_null(), nothing).alias(pseudonyms.name)

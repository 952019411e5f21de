"""Goods and the headings that they are of: a code is of every prefix that it begins with."""

from __future__ import annotations

import polars as pl


def prefix_join(goods: pl.DataFrame, headings: pl.DataFrame, prefix: str, *shared: str) -> pl.DataFrame:
    """Return goods with each row of a table whose prefix their code begins with.

    Args:
        goods: have `hs_code`.
        headings: a row a heading; but for `shared`, they have no column of the goods.
        prefix: their column of prefixes.
        shared: columns of both that have to be equal too; nulls are not.

    >>> goods = pl.DataFrame({"hs_code": ["0101210000", "0207140000", None]})
    >>> headings = pl.DataFrame({"heading": ["01", "0101", "03"], "name": ["animals", "horses", "fish"]})
    >>> prefix_join(goods, headings, "heading").select("hs_code", "name").rows()
    [('0101210000', 'animals'), ('0101210000', 'horses')]
    """
    columns = list(dict.fromkeys([*goods.columns, *headings.columns]))
    lengths = headings[prefix].str.len_bytes()
    found = [
        goods.with_columns(pl.col("hs_code").str.slice(0, length).alias(prefix))
        .join(headings.filter(lengths == length), on=[prefix, *shared])
        .select(columns)
        for length in lengths.unique().sort()
    ]
    none = goods.clear().join(headings.clear().drop(shared), how="cross").select(columns)
    return pl.concat([none, *found])

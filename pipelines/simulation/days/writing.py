"""How declarants write what they declare: sellers under other spellings, names with words of their own."""

import numpy as np
import polars as pl

from pipelines.simulation.world.randomness import Ints
from pipelines.simulation.world.state import Today

_WORDS = (
    "现货", "正品", "gift", "2件装", "新款", "自用", "限定版", "试用装", "EU ver.", "with box", "二手",
    "买一送一",
)  # fmt: skip
_MEASURES = ("ml", "g", "mm", "cm", "pcs", "支", "片")


def as_written(today: Today, declarations: pl.DataFrame, parcel: Ints) -> pl.DataFrame:
    """Return a day's declarations in their declarants' words; `parcel` is the place of each line's parcel."""
    parameters = today.world.parameters
    rng = today.world.generator(today, 14)
    if parameters.other_spelling_share:
        by_parcel = rng.random(int(parcel.max(initial=0)) + 1) < parameters.other_spelling_share
        other = by_parcel[parcel]
        declarations = declarations.with_columns(
            seller_id=pl.when(pl.Series(other)).then(_other_spelling("seller_id")).otherwise("seller_id")
        )
    if parameters.name_extras_share:
        has_extras = pl.Series(rng.random(len(parcel)) < parameters.name_extras_share)
        extras = _extras(rng, len(parcel))
        declarations = declarations.with_columns(
            item_name=pl.when(has_extras).then(pl.col("item_name") + extras).otherwise("item_name")
        )
    return declarations


def _other_spelling(column: str) -> pl.Expr:
    """Return a code as another clerk writes it: in capitals or with a hyphen, the same way each time."""
    capitals = pl.col(column).str.to_uppercase()
    hyphen = pl.col(column).str.slice(0, 8) + pl.lit("-") + pl.col(column).str.slice(8)
    return pl.when(pl.col(column).str.slice(0, 1) < "8").then(capitals).otherwise(hyphen)


def _extras(rng: np.random.Generator, count: int) -> pl.Series:
    """Return words and measures that shops add to a name, as they like."""
    word = pl.Series(_WORDS)[rng.integers(0, len(_WORDS), count)]
    number = pl.Series(rng.integers(1, 100, count) * 5).cast(pl.String)
    measure = number + pl.Series(_MEASURES)[rng.integers(0, len(_MEASURES), count)]
    parts = pl.DataFrame({"word": word, "measure": measure, "draw": rng.random(count)})
    both = pl.lit(" ") + pl.col("measure") + pl.lit(" ") + pl.col("word")
    extra = (
        pl.when(pl.col("draw") < 0.4).then(pl.lit(" ") + pl.col("word"))
        .when(pl.col("draw") < 0.7).then(pl.lit(" ") + pl.col("measure"))
        .otherwise(both)
    )  # fmt: skip
    return parts.select(extra.alias("extra"))["extra"]

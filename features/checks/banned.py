"""Whether goods of an origin may not come in on the day."""

from __future__ import annotations

from typing import Final

import polars as pl

from features.arrays.prefix_join import prefix_join
from features.check import NO_EXPORT, CheckedDay, as_findings, check_family
from features.contract.declarations import LINE_KEY
from features.words.figures import ready_for_words

_POST: Final = ("mail", "express")


@check_family("banned_goods")
def find(day: CheckedDay) -> pl.DataFrame:
    """Return imported lines whose heading is banned from their origin, one row a line.

    Of several bans the newest counts. A ban of a region is none of its country. Where some zones of the
    country are open again, the finding is a note. After the day up to which a row is known, lines of its
    goods have no outcome, whatever their origin is: another may have been banned.
    """
    bans = day.reference["banned_origins"].filter(pl.col("region").is_null())
    known = pl.col("known_until").str.to_date() >= day.day
    bans = bans.with_columns(
        known=known.fill_null(True),
        holds=(pl.col("lifted").str.to_date() > day.day).fill_null(True),
        open_in_part=(pl.col("partly_lifted").str.to_date() <= day.day).fill_null(False),
    )
    bans = bans.explode("hs_prefixes").rename({"origin": "origin_country"})
    lines = day.lines.filter(NO_EXPORT, pl.col("hs_code").is_not_null()).select(
        *LINE_KEY, "trade_mode", "hs_code", "origin_country"
    )
    banned = (
        prefix_join(lines, bans.filter("known", "holds"), "hs_prefixes", "origin_country")
        .filter((pl.col("scope") != "post") | pl.col("trade_mode").is_in(_POST).fill_null(False))
        .sort("valid_from", "hs_prefixes", "goods")
        .unique(LINE_KEY, keep="last", maintain_order=True)
    )
    ended = bans.filter(~pl.col("known")).select("hs_prefixes").unique()
    unknown = prefix_join(lines, ended, "hs_prefixes").unique(LINE_KEY)
    unknown = unknown.join(banned, on=LINE_KEY, how="anti").select(*LINE_KEY, outcome=pl.lit(None, pl.String))
    return pl.concat([as_findings(_told(banned), "banned_goods"), as_findings(unknown, "banned_goods")])


def _told(banned: pl.DataFrame) -> pl.DataFrame:
    is_open = pl.col("open_in_part")
    return ready_for_words(banned).select(
        *LINE_KEY,
        "valid_from",
        outcome=pl.when(is_open).then(pl.lit("note")).otherwise(pl.lit("failed")),
        found=pl.format("{} from {}", "hs_code", "origin_country"),
        expected=pl.when(is_open)
        .then(
            pl.format("{} from {} of open zones alone, since {}", "goods", "origin_country", "partly_lifted")
        )
        .otherwise(pl.format("no {} from {}: {}", "goods", "origin_country", "cause")),
        basis=pl.coalesce("notice", pl.lit("GACC notice, its number is not known")),
    )

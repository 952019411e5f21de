"""What a model itself adds to a line, for the words of its reasons."""

from __future__ import annotations

import numpy as np
import polars as pl

from models.goods.columns import goods_words
from models.risk.calibration import Calibrator
from models.risk.encoder import Encoder, Learned
from models.risk.fair_value import tax_shortfall_cny
from models.trees.columns import exponential


def reason_columns(
    encoder: Encoder, frame: pl.DataFrame, learned: Learned, found_share: float | None
) -> pl.DataFrame:
    """Columns for the words of the reasons, a row a line; null where the model has no such part.

    Columns `model__found_share` (findings a line that was learned from), `model__text_score` (what the text
    alone makes of the line, 0 to 1), `model__telling_word` (String, the word that adds most to it) and
    `model__telling_word_odds` (how many times it makes the odds what they would be without it),
    `model__shortfall_cny` (tax), `model__expected_unit_price_cny`, and `model__low_unit_price_cny` and
    `model__high_unit_price_cny`, between which 8 in 10 such lines lie; the prices stay null where the model
    knows prices by kg. Those of `models.goods.columns.goods_words` come besides.
    """
    prices, price = learned.log_prices, encoder.fair_value
    columns = {
        "model__text_score": None if learned.text_score is None else Calibrator()(learned.text_score),
        "model__telling_word_odds": None,
        "model__found_share": None if found_share is None else np.full(frame.height, found_share),
        "model__expected_unit_price_cny": None,
        "model__low_unit_price_cny": None,
        "model__high_unit_price_cny": None,
        "model__shortfall_cny": None,
    }
    if price is not None and prices is not None:
        expected = exponential(prices.median)
        columns["model__shortfall_cny"] = tax_shortfall_cny(frame, expected, price.basis)
        if price.basis == "unit":
            columns["model__expected_unit_price_cny"] = expected
            columns["model__low_unit_price_cny"] = exponential(prices.low)
            columns["model__high_unit_price_cny"] = exponential(prices.high)
    word = pl.Series([None], dtype=pl.String).new_from_index(0, frame.height)
    if encoder.text is not None:
        word, columns["model__telling_word_odds"] = encoder.text.telling_words(frame)
    unknown = np.full(frame.height, np.nan)
    return (
        pl.DataFrame({name: unknown if given is None else given for name, given in columns.items()})
        .fill_nan(None)
        .with_columns(word.alias("model__telling_word"))
        .with_columns(**goods_words(encoder.goods, learned.goods, frame.height))
    )

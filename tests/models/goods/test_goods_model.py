"""Surprises of lines: what they say of false ones, and that only the line decides about its numbers."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.assemble import CARRIED_COLUMNS, COMPARED_COLUMNS
from features.contract.declarations import TEXT_COLUMNS
from models.goods.columns import GOODS_COLUMNS, goods_words, headings_told, with_goods_columns
from models.goods.fitting import LEAST_LINES, fit_goods_model
from models.goods.goods_model import GoodsModel, GoodsScores
from models.goods.lines import CATEGORY_VALUE, MEASURES, PARTS, READ_OF_GOODS, GoodsLines, learned_by


def _bytes(scores: GoodsScores) -> list[bytes]:
    return [np.ascontiguousarray(getattr(scores, each.name)).tobytes() for each in fields(scores)]


def test_false_prices_and_headings_stand_out(model: GoodsModel, sample: pl.DataFrame) -> None:
    said = with_goods_columns(sample, model)
    cheap = said.filter("cheap")["model__goods_unit_price"]
    honest = said.filter(~pl.col("cheap") & ~pl.col("renamed"))
    assert cheap.median() < -1.1
    assert abs(honest["model__goods_unit_price"].median()) < 0.1
    renamed = said.filter("renamed")
    assert renamed["model__goods_heading_ratio"].median() > 2.0
    assert honest["model__goods_heading_ratio"].median() == 0.0
    assert renamed["model__goods_rate_gap"].median() > 0.05


@pytest.mark.parametrize("same", [(), ("item_name", "origin_country")])
def test_a_line_gets_the_same_bits_in_any_batch_and_order(
    model: GoodsModel, sample: pl.DataFrame, same: tuple[str, ...]
) -> None:
    """Also where only their sellers tell lines apart."""
    lines = sample.head(300).with_columns(pl.col(name).first() for name in same)
    whole = model.score(lines)
    back = model.score(lines.reverse())[np.arange(lines.height)[::-1]]
    alone = [model.score(lines[row]) for row in range(30)]
    assert _bytes(back) == _bytes(whole)
    for row, one in enumerate(alone):
        assert _bytes(one) == _bytes(whole[np.array([row])])


def test_what_is_expected_is_the_sum_of_the_words_that_are_known(
    model: GoodsModel, sample: pl.DataFrame
) -> None:
    lines = sample.head(30).with_columns(pl.col("item_name") + " quux", pl.lit("XX").alias("origin_country"))
    read, said = GoodsLines.of(lines), model.score(lines)
    for line, (part, text) in enumerate(zip(read.parts, read.grams.texts, strict=True)):
        grams = read.grams.columns[slice(*read.grams.rows[text : text + 2])]
        known = [
            model.words[part][np.flatnonzero(model.places == place)].sum(axis=0)
            for place in (*grams, *read.categories[line])
        ]
        assert not all(np.isin(grams, model.places))
        of_grams, of_categories = np.sum(known[: len(grams)], axis=0), np.sum(known[len(grams) :], axis=0)
        numbers = (of_grams / np.sqrt(len(grams)) + of_categories * CATEGORY_VALUE) * model.steps
        plain, inner = np.split(numbers, [len(MEASURES)])
        own = said.declared[line]
        expected = model.middles[part] + plain + model.effects[part, own]
        np.testing.assert_allclose(said.usual[line] - said.by_heading[line], expected)
        odds = np.exp(inner @ model.weights[part] + model.intercepts[part])
        assert said.chances[line, 0] == pytest.approx(odds[own] / odds.sum(), abs=1e-3)
        assert said.top[line, 0] == odds.argmax()


def test_a_saved_model_says_the_same(model: GoodsModel, sample: pl.DataFrame, tmp_path: Path) -> None:
    model.save(tmp_path / "goods.npz")
    loaded = GoodsModel.load(tmp_path / "goods.npz")
    assert loaded.fingerprint == model.fingerprint
    assert _bytes(loaded.score(sample)) == _bytes(model.score(sample))


def test_the_order_of_the_sample_does_not_matter(model: GoodsModel, sample: pl.DataFrame) -> None:
    again = fit_goods_model(sample.sample(fraction=1.0, shuffle=True, seed=1), 7)
    assert again is not None
    assert again.fingerprint == model.fingerprint


def test_no_part_has_seen_the_name_or_the_seller_of_a_line_that_it_scores(sample: pl.DataFrame) -> None:
    parts = GoodsLines.of(sample).parts
    assert len(np.unique(parts)) == PARTS
    for part in range(PARTS):
        learned, scored = sample[learned_by(parts, part)], sample.filter(pl.Series(parts == part))
        for key in ("item_name", "seller_id"):
            assert not set(learned[key]) & set(scored[key])


def test_a_line_does_not_explain_itself(sample: pl.DataFrame) -> None:
    """A seller's own false prices under a name of its own change nothing of what is expected of it."""
    odd = sample.head(60).with_columns(
        pl.lit("zzz led lamp quux").alias("item_name"), pl.lit("RING").alias("seller_id")
    )
    usual = pl.concat([odd, sample.tail(-60)])
    low = usual.with_columns(
        pl.when(pl.col("seller_id") == "RING").then(1.0).otherwise("unit_price_cny").alias("unit_price_cny")
    )
    expected = []
    for given in (usual, low):
        fitted = fit_goods_model(given, 7)
        assert fitted is not None
        expected.append(fitted.score(odd.head(1)).usual[0, 0])
    assert abs(expected[0] - expected[1]) < 0.05


def test_a_line_without_text_and_a_frame_without_columns_are_unknown(model: GoodsModel) -> None:
    scores = model.score(pl.DataFrame({"item_name": [None, "led lamp"]}, schema={"item_name": pl.String}))
    assert np.isnan(scores.surprise).all()
    assert scores.top[0].tolist() == [-1, -1, -1]
    assert np.isnan(scores.chances[0]).all()
    assert np.isfinite(scores.usual[1]).all()
    words = goods_words(model, scores, 2)
    assert words["model__goods_heading_1"].to_list() == [None, "940520"]


def test_likely_headings_are_told_where_another_is_declared(model: GoodsModel) -> None:
    frame = pl.DataFrame({"item_name": ["led lamp", "led lamp", None, "led lamp"]})
    scores = model.score(frame)
    unsure = scores.top_chances.copy()
    unsure[3] = [0.2, 0.19, 0.18]
    declared = pl.Series(["9503009000", "940542", "9503009000", None])
    told = headings_told(model, replace(scores, top_chances=unsure), declared)
    assert told[0].startswith(f"940520 {scores.top_chances[0, 0]:.0%}")
    assert told[1:].to_list() == [None, None, None]
    # Headings that are too rare to have a name of their own are not told.
    rest = np.array([[scores.top[0, 0], len(model.headings) - 1, scores.top[0, 1]]])
    of_one = replace(scores, top=rest, top_chances=np.array([[0.5, 0.3, 0.2]]))
    (told_of_one,) = headings_told(model, of_one, declared[:1])
    assert told_of_one == f"940520 50%, {model.headings[scores.top[0, 1]]} 20%"


def test_words_of_a_model_without_goods_are_null() -> None:
    words = pl.DataFrame(goods_words(None, None, 3))
    assert words.null_count().sum_horizontal().item() == 3 * words.width
    assert words.schema["model__goods_heading_2"] == pl.String


def test_few_lines_have_no_goods_model(sample: pl.DataFrame) -> None:
    assert fit_goods_model(sample.head(LEAST_LINES - 1), 7) is None
    assert with_goods_columns(sample, None) is sample


def test_all_that_is_read_stands_in_the_frame_of_every_risk() -> None:
    assert set(READ_OF_GOODS) <= {*TEXT_COLUMNS, *CARRIED_COLUMNS, *COMPARED_COLUMNS}
    assert len(set(GOODS_COLUMNS)) == 7


def test_a_seller_with_many_lines_sets_no_norm(sample: pl.DataFrame) -> None:
    """Hundreds of lines of one ring at a tenth of the price, under many names, hardly move the norm."""
    ring = (
        sample.head(2000)
        .filter(pl.col("kind") == 2)
        .with_columns(
            ("R" + pl.col("declaration_id")).alias("declaration_id"),
            pl.lit("RING").alias("seller_id"),
            pl.col("unit_price_cny") * 0.1,
        )
    )
    lamp = sample.filter(pl.col("kind") == 2, ~pl.col("cheap"))
    fitted = fit_goods_model(pl.concat([sample, ring]), 7)
    assert fitted is not None
    assert abs(np.median(fitted.score(lamp).surprise[:, 0])) < 0.15


def test_tables_without_names_or_with_one_of_them_have_no_model(sample: pl.DataFrame) -> None:
    unnamed = sample.with_columns(pl.lit(None, dtype=pl.String).alias("item_name"))
    assert fit_goods_model(unnamed, 7) is None
    assert fit_goods_model(sample.with_columns(pl.lit("poultry").alias("item_name")), 7) is None


def test_sellers_that_nobody_names_are_told_apart_by_their_goods(sample: pl.DataFrame) -> None:
    unsold = sample.with_columns(pl.lit(None, dtype=pl.String).alias("seller_id"))
    assert len(np.unique(GoodsLines.of(unsold).parts)) == PARTS
    model = fit_goods_model(unsold, 7)
    assert model is not None
    assert np.isfinite(model.score(unsold).surprise[:, 0]).all()

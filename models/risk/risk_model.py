"""A fitted risk: from feature frames to calibrated probabilities, values, contributions and expected prices.

It is a directory of text and arrays: `model.json`, `columns.json`, `booster.txt` and, where the risk has
them, `text_score.npz`, `fair_value.txt`, `fair_value.json`, `goods_model.npz` and `peers.npz`. Nothing in it
is code, nothing is pickled.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from configs.errors import DataError
from features.arrays.types import FloatArray
from features.contract.declarations import TEXT_COLUMNS
from models.goods.goods_model import GoodsModel, GoodsScores
from models.goods.lines import READ_OF_GOODS
from models.risk.calibration import Calibrator
from models.risk.encoder import Encoder, Learned
from models.risk.examined import ExaminedShare
from models.risk.fair_value import declared_log_price, priced_quantity, tax_shortfall_cny
from models.risk.finding_value import FindingValue
from models.risk.heading_background import HeadingBackground, background_lines, explained_lines, headings_of
from models.risk.heading_peers import HeadingPeers
from models.risk.reason_columns import reason_columns
from models.risk.saved_model import MODEL_FILE, MODEL_FORMAT, READ_FORMATS, saved_model
from models.trees.blend import Blend
from models.trees.columns import exponential
from models.trees.matrix import Matrix
from models.trees.number_columns import FrameNumbers


@dataclass(frozen=True)
class Scores:
    """What the night needs of each line (lines,): probability, value of a finding, expected price or None."""

    probability: FloatArray
    value_cny: FloatArray
    expected_price_cny: FloatArray | None


@dataclass(frozen=True)
class RiskModel:
    """One risk's model. A line's numbers depend on the line alone: never on batch, order or thread count."""

    name: str
    label: str
    encoder: Encoder
    booster: Blend
    calibrator: Calibrator
    value: FindingValue
    metadata: Mapping[str, str] = field(default_factory=dict)
    examined: ExaminedShare = field(default_factory=ExaminedShare)
    background: HeadingBackground | None = None
    peers: HeadingPeers | None = None

    @property
    def required_columns(self) -> tuple[str, ...]:
        """Columns without which a frame is refused."""
        return self.encoder.columns.required

    @property
    def input_columns(self) -> dict[str, bool]:
        """Every column that is read, whether it may be missing or not: True for text, False for a number."""
        kinds = {name: name in self.encoder.columns.categories.values for name in self.encoder.columns.names}
        if self.encoder.text is not None:
            kinds.update(dict.fromkeys(TEXT_COLUMNS, True))
        if self.encoder.uses_goods:
            kinds.update(READ_OF_GOODS)
        return kinds

    def predict(self, frame: pl.DataFrame, *, threads: int = 1) -> FloatArray:
        """Probability (lines,) in [0, 1] that an inspection would record this finding.

        Raises:
            FeatureColumnsError: the frame lacks fitted columns or holds them in another type.
        """
        return self.calibrator(self.predict_raw(frame, threads=threads)) * self.examined(frame)

    def predict_raw(self, frame: pl.DataFrame, *, threads: int = 1) -> FloatArray:
        """Log-odds of the trees before calibration (lines,): the ranking of lines that are examined alike."""
        self.encoder.columns.check(frame, self.name)
        return self._raw(frame, threads)[0]

    def score(
        self,
        frame: pl.DataFrame,
        *,
        threads: int = 1,
        text_score: FloatArray | None = None,
        goods: GoodsScores | None = None,
    ) -> Scores:
        """`predict`, `value_cny` and `expected_price` at once, with each smaller model run once.

        Those of the text and the goods are not run where `text_score` (lines,) and `goods` are given.
        """
        self.encoder.columns.check(frame, self.name)
        raw, learned = self._raw(frame, threads, text_score, goods)
        expected = self._expected(learned)
        probability = self.calibrator(raw) * self.examined(frame)
        return Scores(probability, self._value(frame, learned, expected), expected)

    def value_cny(self, frame: pl.DataFrame) -> FloatArray:
        """Value of a finding on each line in CNY (lines,), given that there is one."""
        learned = self.learned(frame)
        return self._value(frame, learned, self._expected(learned))

    def learned(
        self,
        frame: pl.DataFrame,
        *,
        threads: int = 1,
        text_score: FloatArray | None = None,
        goods: GoodsScores | None = None,
    ) -> Learned:
        """What the smaller models say about each line; none is asked for what is given."""
        self.encoder.columns.check(frame, self.name)
        return self.encoder.learned(frame, threads=threads, text_score=text_score, goods=goods)

    def expected_price(self, frame: pl.DataFrame, learned: Learned | None = None) -> FloatArray | None:
        """Fair price in CNY per unit, or per kg where unit prices were too few; None without a model."""
        return self._expected(learned or self.learned(frame))

    def expected_total_cny(self, frame: pl.DataFrame, learned: Learned | None = None) -> FloatArray | None:
        """Fair value in CNY of each whole line (lines,), NaN where unknown; None without a price model."""
        expected = self.expected_price(frame, learned)
        if expected is None or self.encoder.fair_value is None:
            return None
        return expected * priced_quantity(frame, self.encoder.fair_value.basis)

    def contributions(
        self, frame: pl.DataFrame, learned: Learned | None = None, *, threads: int = 1
    ) -> pl.DataFrame:
        """What each feature block adds to the log-odds of each line, one column a block, before calibration.

        With the mean of all lines, which is left out, the columns add up to `predict_raw`.
        """
        matrix = self.encoder.matrix(frame, learned or self.learned(frame, threads=threads))
        return self._added(matrix, threads)

    def _added(self, matrix: Matrix, threads: int) -> pl.DataFrame:
        parts = self.booster.contributions(matrix.values, threads=threads)
        blocks = np.array(self.encoder.blocks)
        names = sorted(set(self.encoder.blocks))
        return pl.DataFrame({name: parts[:, :-1][:, blocks == name].sum(axis=1) for name in names})

    def contributions_in_heading(
        self, frame: pl.DataFrame, learned: Learned | None = None, *, threads: int = 1
    ) -> pl.DataFrame:
        """`contributions` above what each block usually adds to lines of the same heading: what sets a line
        apart from its like, in the order that `peers` settle. Without a `background` as they are.
        """
        matrix = self.encoder.matrix(frame, learned or self.learned(frame, threads=threads))
        added = self._added(matrix, threads)
        if self.background is None:
            return added
        usual = self.background(frame)
        special = added.with_columns(
            pl.col(block) - usual[:, place] for place, block in enumerate(self.background.blocks)
        )
        if self.peers is None or frame.is_empty():
            return special
        places = np.array(self.booster.places, dtype=np.int64)
        blocks = np.array(self.encoder.blocks)[places]
        return self.peers.settled(
            special,
            headings_of(frame, 4),
            matrix.values[:, places],
            places,
            blocks=blocks,
            booster=self.booster,
        )

    def with_goods(self, goods: GoodsModel | None) -> RiskModel:
        """The same model with the goods model whose columns stood in the frame that it was fitted on."""
        if not self.encoder.uses_goods:
            return self
        return replace(self, encoder=replace(self.encoder, goods=goods))

    def with_background(self, lines: pl.DataFrame, *, threads: int = 1) -> RiskModel:
        """The same model that knows what its blocks usually add, and some lines of each heading, from `lines`
        that nobody selected.
        """
        chosen = background_lines(lines)
        if chosen.is_empty():
            return self
        values = self.encoder.matrix(chosen, self.learned(chosen)).values[:, list(self.booster.places)]
        some = explained_lines(chosen)
        return replace(
            self,
            background=HeadingBackground.fit(some, self.contributions(some, threads=threads)),
            peers=HeadingPeers.fit(headings_of(chosen, 4), values),
        )

    def model_columns(self, frame: pl.DataFrame, learned: Learned | None = None) -> pl.DataFrame:
        """What the model itself adds to a line, for the words of the reasons: see `reason_columns`."""
        learned_from = float(self.metadata.get("lines", "0"))
        share = float(self.metadata["findings"]) / learned_from if learned_from else None
        return reason_columns(self.encoder, frame, learned or self.learned(frame), share)

    def importance(self) -> pl.DataFrame:
        """`column`, `block` and `gain`: the share of the loss that its splits took away, largest first."""
        gain = self.booster.gain()
        total = gain.sum() or 1.0
        table = pl.DataFrame(
            {"column": self.encoder.names, "block": self.encoder.blocks, "gain": gain / total}
        )
        return table.sort(["gain", "column"], descending=[True, False])

    def save(self, directory: Path) -> None:
        """Write the model into a directory, which is made where it is missing."""
        directory.mkdir(parents=True, exist_ok=True)
        stored = {
            "format": MODEL_FORMAT,
            "name": self.name,
            "label": self.label,
            "calibrator": self.calibrator.as_dict(),
            "examined": self.examined.as_dict(),
            "finding_value": self.value.as_dict(),
            "metadata": dict(self.metadata),
            "background": None if self.background is None else self.background.as_dict(),
            "peers": self.peers is not None,
        }
        text = json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True)
        (directory / MODEL_FILE).write_text(text + "\n", encoding="utf-8")
        self.booster.save(directory)
        self.encoder.save(directory)
        if self.peers is not None:
            self.peers.save(directory / "peers.npz")

    @classmethod
    def load(cls, directory: Path) -> RiskModel:
        """Read what `save` wrote; DataError where the directory holds no model or one of another format."""
        try:
            stored = saved_model(directory)
            if stored["format"] not in READ_FORMATS:
                raise DataError(
                    f"the model in {directory} has format {stored['format']}, this program reads "
                    f"{MODEL_FORMAT} and older ones; train the risk anew, or use the version of the program "
                    "that wrote it."
                )
            encoder = Encoder.load(directory)
            return cls(
                name=stored["name"],
                label=stored["label"],
                encoder=encoder,
                booster=Blend.load(directory, len(encoder.names)),
                calibrator=Calibrator.from_dict(stored["calibrator"]),
                value=FindingValue.from_dict(stored["finding_value"]),
                metadata=stored["metadata"],
                examined=ExaminedShare.from_dict(stored["examined"]),
                background=HeadingBackground.from_dict(usual)
                if (usual := stored.get("background"))
                else None,
                peers=HeadingPeers.load(directory / "peers.npz") if stored.get("peers") else None,
            )
        except (OSError, KeyError, ValueError) as error:
            raise DataError(f"no readable model in {directory} ({error}); train the risk anew.") from error

    def _raw(
        self,
        frame: pl.DataFrame,
        threads: int,
        text_score: FloatArray | None = None,
        goods: GoodsScores | None = None,
    ) -> tuple[FloatArray, Learned]:
        numbers = FrameNumbers(frame)
        learned = self.encoder.learned(
            frame, threads=threads, numbers=numbers, text_score=text_score, goods=goods
        )
        raw = np.empty(frame.height, dtype=np.float64)
        for lines, columns in self.encoder.slices(frame, learned, self.booster.places, numbers):
            raw[lines] = self.booster.predict_columns(columns, threads=threads)
        return raw, learned

    def _expected(self, learned: Learned) -> FloatArray | None:
        return None if learned.log_prices is None else exponential(learned.log_prices.median)

    def _value(self, frame: pl.DataFrame, learned: Learned, expected: FloatArray | None) -> FloatArray:
        value, price = np.full(frame.height, self.value.floor_cny, dtype=np.float64), self.encoder.fair_value
        if not self.value.by_tax:
            return value
        if self.value.tax is None:
            # No amounts to learn from: the tax that the expected price implies is all that is known.
            if price is None or expected is None:
                return value
            return value + np.nan_to_num(tax_shortfall_cny(frame, expected, price.basis))
        ratio = np.full(frame.height, np.nan)
        if price is not None and learned.log_prices is not None:
            ratio = declared_log_price(frame, price.basis) - learned.log_prices.median
        return value + self.value.tax(frame, ratio)

"""The same night as a good data scientist writes it first: pandas and scikit-learn, one process, no store.

    python -m benchmarks.national.naive_day STORE DAY MODELS RESULT FILE...

Reads the month before the day from a store and the day from files, validates, computes features over the
same keys (`benchmarks/national/naive_features.py`), a text score a risk (HashingVectorizer and a linear
model), fair prices (three quantile models), a model a risk with as many trees and leaves as MODELS says
the models in use have, calibrates, selects, explains the listed lines with `pred_contrib`, and writes scores
and lists for each office. Nothing is slow on purpose. Fitting the models is not counted, and their
quality not judged.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks.national import naive_features as nf
from benchmarks.national.naive_lists import Lists, listed_parcels, write_lists
from configs.loader import load_settings
from configs.reference.facts import load_reference
from configs.schema.settings import Settings
from features.arrays.types import FloatArray
from features.contract.declarations import DECLARATION_COLUMNS, DECLARATION_REQUIRED, LINE_KEY

# pandas takes a tuple for the name of one column.
KEY = list(LINE_KEY)
_POSITIVE = ("quantity", "legal_quantity", "gross_weight_kg", "net_weight_kg")
_NOT_NEGATIVE = ("unit_price", "freight", "insurance")
_COUNTRIES = ("origin_country", "dispatch_country", "destination_country")
_ALPHAS = {"fair_value": 0.5, "fair_value_low": 0.1, "fair_value_high": 0.9}
_PRICE_MODELS = "undervaluation"


@dataclass
class Steps:
    """Seconds by step; `fixed` are those of the month, which do not grow with the day."""

    seconds: dict[str, float] = field(default_factory=dict)
    fixed: set[str] = field(default_factory=set)

    @contextmanager
    def step(self, name: str, *, fixed: bool = False) -> Iterator[None]:
        """Measure what happens inside."""
        began = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - began
        if fixed:
            self.fixed.add(name)


@dataclass(frozen=True)
class NaiveModels:
    """The fitted models: text pipeline, trees and calibration a risk, and the prices."""

    texts: Mapping[str, Pipeline]
    prices: Mapping[str, lgb.LGBMRegressor]
    risks: Mapping[str, lgb.LGBMClassifier]
    calibrations: Mapping[str, IsotonicRegression]


def naive_day(
    store: Path, day: date, files: Sequence[Path], sizes: Mapping[str, Any], listed: int, out: Path
) -> dict[str, Any]:
    """Run the whole day and return seconds by step; `sizes` are those of `national_night.models_of`."""
    settings, eve, steps = _with_models(load_settings(), sizes), day - timedelta(days=1), Steps()
    reference = load_reference(settings.overlay).on(day)
    labels = [risk.label for risk in settings.risks.values()]
    with steps.step("read the month", fixed=True):
        month = nf.prepared(_read(sorted((store / "declarations").glob("*/*.parquet"))), reference)
    with steps.step("history of the month", fixed=True):
        inspected = _inspected(month, store, labels, eve)
        tables = nf.history_tables(month, inspected, labels, settings.pipeline, eve)
        del month
    context = (tables, labels, settings, reference)
    fitted = _fit(_features(inspected, context, Steps()), inspected, settings, sizes)
    with steps.step("read"):
        raw = _read(files)
    with steps.step("validate"):
        lines, rejected = validated(raw)
        del raw
    with steps.step("prepare"):
        lines = nf.prepared(lines, reference)
    features = _features(lines, context, steps)
    with steps.step("text scores"):
        text = _text(lines)
        for risk in settings.risks:
            features[f"text_score_{risk}"] = fitted.texts[risk].predict_proba(text)[:, 1]
    with steps.step("fair prices"):
        for name, model in fitted.prices.items():
            features[name] = model.predict(features[_price_columns(features)])
    matrix, scores = features.astype(np.float32), lines[KEY].copy()
    for risk in settings.risks:
        with steps.step("trees"):
            raw_score = fitted.risks[risk].predict_proba(matrix)[:, 1]
        with steps.step("calibrate"):
            scores[risk] = fitted.calibrations[risk].predict(raw_score)
    with steps.step("select"):
        values = _values(lines, features, settings)
        chosen = listed_parcels(lines, scores, values, settings, listed)
    with steps.step("reasons"):
        lists = Lists(chosen, _reasons(chosen, lines, matrix, fitted.risks))
    with steps.step("write"):
        scores.to_parquet(out / "scores.parquet")
        write_lists(lists, lines, out)
    return {
        "lines": len(lines) + rejected,
        "rejected": rejected,
        "listed": len(chosen),
        "columns": matrix.shape[1],
        "seconds": steps.seconds,
        "fixed": sorted(steps.fixed),
    }


def validated(raw: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The lines that keep the contract, invalid values of optional columns missing; how many do not."""
    lines = raw.copy()
    for name in lines.select_dtypes(include=["str", "object"]):
        lines[name] = lines[name].str.strip()
    for name in (*_POSITIVE, *_NOT_NEGATIVE):
        low = lines[name] <= 0 if name in _POSITIVE else lines[name] < 0
        lines[name] = lines[name].mask(low | ~np.isfinite(lines[name]))
    for name in _COUNTRIES:
        lines[name] = lines[name].where(lines[name].str.fullmatch("[A-Z]{2}").fillna(False).astype(bool))
    for name in ("unit", "legal_unit"):
        lines[name] = lines[name].where(lines[name].str.fullmatch(r"\d{3}").fillna(False).astype(bool))
    good = lines[list(DECLARATION_REQUIRED)].notna().all(axis=1)
    good &= lines["hs_code"].str.fullmatch(r"\d{6,10}").fillna(False).astype(bool)
    good &= lines["currency"].str.fullmatch("[A-Z]{3}").fillna(False).astype(bool)
    good &= (lines["line_no"] >= 1) & (lines["total_price"] >= 0)
    good &= ~lines.duplicated(KEY, keep="first")
    return lines[good].reset_index(drop=True), int((~good).sum())


def _with_models(settings: Settings, sizes: Mapping[str, Any]) -> Settings:
    """The settings with the risks that have a model."""
    risks = {name: risk for name, risk in settings.risks.items() if f"{name}/booster" in sizes}
    return settings.model_copy(update={"risks": risks})


def _read(files: Sequence[Path]) -> pd.DataFrame:
    frames = [pd.read_parquet(file, columns=list(DECLARATION_COLUMNS), partitioning=None) for file in files]
    return pd.concat(frames, ignore_index=True)


def _inspected(month: pd.DataFrame, store: Path, labels: Sequence[str], eve: date) -> pd.DataFrame:
    frames = []
    for file in sorted((store / "inspections").glob("*/*.parquet")):
        reported = date.fromisoformat(file.parent.name.removeprefix("reported_on="))
        found = pd.read_parquet(file, columns=[*KEY, *labels], partitioning=None)
        frames.append(found.assign(reported_days=(eve - reported).days))
    latest = pd.concat(frames).sort_values("reported_days", ascending=False).groupby(KEY).last().reset_index()
    latest[list(labels)] = latest[list(labels)].astype(float)
    return month.merge(latest, on=KEY)


def _features(lines: pd.DataFrame, context: tuple[Any, ...], steps: Steps) -> pd.DataFrame:
    tables, labels, settings, reference = context
    parts = []
    with steps.step("plain features"):
        parts.append(nf.plain(lines, reference).astype(np.float32))
    with steps.step("same day"):
        parts.append(nf.same_day(lines).astype(np.float32))
    with steps.step("history"):
        parts.append(nf.merged_history(lines, tables, labels, settings.pipeline))
    with steps.step("peers"):
        parts.append(nf.against_peers(lines, tables, settings.pipeline).astype(np.float32))
    with steps.step("words"):
        parts.append(nf.of_text(lines, reference).astype(np.float32))
        features = pd.concat(parts, axis=1)
    return features


def _text(lines: pd.DataFrame) -> pd.Series:
    return lines["item_name"].fillna("") + " " + lines["item_model"].fillna("")


def _price_columns(features: pd.DataFrame) -> list[str]:
    """What the price model may see: nothing that holds the declared price."""
    own = {*nf.CATEGORIES, "quantity", "line_kg", "gross_weight_kg", "net_weight_kg", "package_count"}
    return [name for name in features if name in own or name.startswith("text_") or name.endswith("_median")]


def _fit(
    features: pd.DataFrame, inspected: pd.DataFrame, settings: Settings, sizes: Mapping[str, Any]
) -> NaiveModels:
    """Models of the given sizes, fitted on the inspected lines of the month."""
    texts, risks, calibrations = {}, {}, {}
    text, target = _text(inspected), inspected["log_unit_price"]
    priced = target.notna()
    prices = {}
    for risk in settings.risks:
        found = inspected[settings.risks[risk].label].fillna(0.0).astype(int)
        vectoriser = HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4), n_features=2**18)
        texts[risk] = make_pipeline(vectoriser, SGDClassifier(loss="log_loss", random_state=7))
        texts[risk].fit(text, found)
        features[f"text_score_{risk}"] = texts[risk].predict_proba(text)[:, 1]
    columns = _price_columns(features)
    for name, alpha in _ALPHAS.items():
        prices[name] = lgb.LGBMRegressor(
            objective="quantile", alpha=alpha, verbosity=-1, **_size(sizes, f"{_PRICE_MODELS}/{name}")
        )
        prices[name].fit(features.loc[priced, columns], target[priced])
        features[name] = prices[name].predict(features[columns])
    for risk in settings.risks:
        found = inspected[settings.risks[risk].label].fillna(0.0).astype(int)
        risks[risk] = lgb.LGBMClassifier(
            min_child_samples=5, min_split_gain=0.0, verbosity=-1, **_size(sizes, f"{risk}/booster")
        )
        risks[risk].fit(features.astype(np.float32), found)
        raw = risks[risk].predict_proba(features.astype(np.float32))[:, 1]
        calibrations[risk] = IsotonicRegression(out_of_bounds="clip").fit(raw, found)
    return NaiveModels(texts, prices, risks, calibrations)


def _size(sizes: Mapping[str, Any], name: str) -> dict[str, int]:
    return {"n_estimators": int(sizes[name]["trees"]), "num_leaves": max(2, round(sizes[name]["leaves"]))}


def _values(lines: pd.DataFrame, features: pd.DataFrame, settings: Settings) -> pd.DataFrame:
    """What a finding of each risk is worth on each line, in CNY."""
    expected = np.exp(features["fair_value"]) * lines["quantity"]
    shortfall = (expected - lines["total_cny"]).clip(lower=0).fillna(0.0) * features["tax_rate"].fillna(0.0)
    values = {}
    for name, risk in settings.risks.items():
        value = risk.finding_value
        by_tax = value.kind == "tax_shortfall"
        values[name] = shortfall + value.floor_cny if by_tax else pd.Series(value.cny, index=lines.index)
    return pd.DataFrame(values)


def _reasons(
    chosen: pd.DataFrame, lines: pd.DataFrame, matrix: pd.DataFrame, models: Mapping[str, lgb.LGBMClassifier]
) -> pd.DataFrame:
    """The three columns that push each listed line up most, in words (parcels, 3)."""
    said = pd.DataFrame("", index=chosen.index, columns=["reason_1", "reason_2", "reason_3"])
    for risk, model in models.items():
        rows = chosen.index[chosen["risk"] == risk]
        if len(rows) == 0:
            continue
        asked = matrix.loc[chosen.loc[rows, "row"]]
        pushes: FloatArray = np.asarray(model.predict(asked, pred_contrib=True))[:, :-1]
        top = np.argsort(-pushes, axis=1)[:, :3]
        for place, name in enumerate(said.columns):
            columns = matrix.columns[top[:, place]]
            values = asked.to_numpy()[np.arange(len(rows)), top[:, place]]
            said.loc[rows, name] = [
                f"{column.replace('_', ' ')} is {value:,.2f}"
                for column, value in zip(columns, values, strict=True)
            ]
    return said


def main() -> int:
    """Write the figures as JSON."""
    store, day, sizes, listed, result, *files = sys.argv[1:]
    out = Path(result).parent / "naive"
    out.mkdir(parents=True, exist_ok=True)
    given = json.loads(Path(sizes).read_text(encoding="utf-8"))
    paths = [Path(file) for file in files]
    done = naive_day(Path(store), date.fromisoformat(day), paths, given, int(listed), out)
    Path(result).write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Loading: the packaged files, a folder laid over them, and what every mistake is answered with."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from configs.errors import ConfigurationError
from configs.loader import load_settings
from tests.places import ROOT

COUNTERFEIT = """
label: counterfeit
title: Counterfeit goods
finding_value: {kind: constant, cny: 800}
"""


def _write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return folder


def _refused(folder: Path, *parts: str) -> None:
    """Loading fails, and the message holds every part, in this order."""
    with pytest.raises(ConfigurationError, match="(?s)" + ".*".join(re.escape(part) for part in parts)):
        load_settings(folder)


def test_the_packaged_configuration_loads() -> None:
    settings = load_settings()
    assert list(settings.risks) == sorted(settings.risks)
    assert settings.overlay is None
    assert re.fullmatch("[0-9a-f]{64}", settings.fingerprint)


def test_an_empty_overlay_changes_nothing(tmp_path: Path) -> None:
    packaged, laid_over = load_settings(), load_settings(tmp_path)
    assert laid_over.model_copy(update={"overlay": None}) == packaged


def test_a_key_that_the_overlay_leaves_out_keeps_its_value(tmp_path: Path) -> None:
    packaged = load_settings().pipeline
    _write(tmp_path, "pipeline.yaml", "training: {seed: 8}\nhistory: {activity_half_lives_days: [3]}\n")
    pipeline = load_settings(tmp_path).pipeline
    assert pipeline.training == packaged.training.model_copy(update={"seed": 8})
    assert pipeline.history.activity_half_lives_days == (3.0,)
    assert pipeline.history.combinations == packaged.history.combinations


def test_a_list_of_the_overlay_replaces_the_packaged_one(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "peers: {levels: [{name: hs6, columns: [hs6]}]}\n")
    assert [level.name for level in load_settings(tmp_path).pipeline.peers.levels] == ["hs6"]


@pytest.mark.parametrize("place", ["history: {{combinations: {}}}", "combinations: {}"])
def test_a_combination_is_added_without_the_list_being_written_again(tmp_path: Path, place: str) -> None:
    added = "{add: [{name: office_hs6, columns: [customs_office, hs6], backoff: hs6}]}"
    _write(tmp_path, "pipeline.yaml", place.format(added) + "\n")
    before, after = (load_settings(folder).pipeline.history.combinations for folder in (None, tmp_path))
    assert after[:-1] == before
    assert (after[-1].columns, after[-1].backoff) == (("customs_office", "hs6"), "hs6")


def test_an_added_combination_that_is_listed_already_is_refused(tmp_path: Path) -> None:
    text = "combinations: {add: [{name: hs4, columns: [hs4], backoff: hs2}]}\n"
    _refused(_write(tmp_path, "pipeline.yaml", text), "pipeline.yaml", "'hs4' is listed twice")


def test_a_new_risk_joins_with_the_general_words(tmp_path: Path) -> None:
    settings = load_settings(_write(tmp_path, "risks/counterfeit.yaml", COUNTERFEIT))
    assert list(settings.risks) == ["counterfeit", "food_safety", "prohibited_items", "undervaluation"]
    risk = settings.risk("counterfeit")
    assert risk.title.en == "Counterfeit goods"
    assert risk.reasons == load_settings().risks["undervaluation"].reasons


def test_a_risk_without_a_title_is_called_by_its_file(tmp_path: Path) -> None:
    text = "label: x\nfinding_value: {kind: constant, cny: 1}\n"
    settings = load_settings(_write(tmp_path, "risks/fake_brands.yaml", text))
    assert settings.risk("fake_brands").title.en == "Fake brands"


def test_a_risk_of_the_same_name_replaces_the_packaged_one(tmp_path: Path) -> None:
    risk = load_settings(_write(tmp_path, "risks/food_safety.yaml", COUNTERFEIT)).risk("food_safety")
    assert risk.label == "counterfeit"
    assert risk.model == {}


def test_a_risk_may_have_words_of_its_own(tmp_path: Path) -> None:
    text = COUNTERFEIT + "reasons:\n  price:\n    - text: too cheap for the brand\n"
    risk = load_settings(_write(tmp_path, "risks/counterfeit.yaml", text)).risk("counterfeit")
    assert [template.text for template in risk.reasons_for("price")] == ["too cheap for the brand"]
    assert len(risk.reasons_for("weight")) > 1


def test_words_of_the_overlay_hold_for_every_risk(tmp_path: Path) -> None:
    text = "blocks: {calendar: [{text: 申报时间异常}]}\nfallback: 该行的{block}与以往查获相似\n"
    settings = load_settings(_write(tmp_path, "reasons.yaml", text))
    for risk in settings.risks.values():
        assert [template.text for template in risk.reasons_for("calendar")] == ["申报时间异常"]
        assert len(risk.reasons_for("hit_rate")) > 1
        assert risk.reasons_for("cold_chain")[0].text == "该行的cold chain与以往查获相似"


def test_the_fingerprint_follows_every_effective_file(tmp_path: Path) -> None:
    seen = {load_settings().fingerprint, load_settings(tmp_path).fingerprint}
    assert len(seen) == 1
    for name, text in {
        "pipeline.yaml": "training: {seed: 8}\n",
        "risks/counterfeit.yaml": COUNTERFEIT,
        "sources/own.yaml": "rename: {hs_code: HS}\n",
        "reference/vague_terms.csv": "term,language,script,valid_from\nthing,en,latn,2020-01-01\n",
    }.items():
        fingerprint = load_settings(_write(tmp_path, name, text)).fingerprint
        assert fingerprint not in seen
        seen.add(fingerprint)


def test_the_fingerprint_does_not_depend_on_where_the_folder_is(tmp_path: Path) -> None:
    folders = [_write(tmp_path / name, "pipeline.yaml", "training: {seed: 8}\n") for name in ("a", "b")]
    assert len({load_settings(folder).fingerprint for folder in folders}) == 1


def test_an_unknown_key_names_the_allowed_and_the_nearest(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "ingest: {tolerence: 0.1}\n")
    _refused(tmp_path, "pipeline.yaml:", "ingest.tolerence: unknown key; came 0.1. Did you mean 'tolerance'?",
             "Allowed keys: archives, chunk_rows, future_days, laboratory_days, max_text_chars")  # fmt: skip


def test_an_unknown_section(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "trainning: {seed: 1}\n")
    _refused(
        tmp_path, "trainning: unknown key", "Did you mean 'training'?", "scoring, statistics, store, training"
    )


def test_an_unknown_key_in_a_list(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "peers: {levels: [{name: hs6, column: [hs6]}]}\n")
    _refused(tmp_path, "peers.levels[0].columns: this key is missing", "peers.levels[0].column: unknown key",
             "Allowed keys: columns, name")  # fmt: skip


def test_an_unknown_key_in_a_mapping_of_offices(tmp_path: Path) -> None:
    _write(tmp_path, "capacity.yaml", "offices: {4601: {parcel: 3}}\n")
    _refused(
        tmp_path, "offices.4601.parcel: unknown key", "Allowed keys: exports, language, minimum, parcels"
    )


def test_an_unknown_key_of_a_finding_value(tmp_path: Path) -> None:
    text = COUNTERFEIT.replace("cny: 800", "cny: 800, euro: 3")
    _write(tmp_path, "risks/counterfeit.yaml", text)
    _refused(
        tmp_path, "counterfeit.yaml:", "  finding_value.euro: unknown key; came 3. Allowed keys: cny, kind"
    )


def test_an_unknown_key_of_a_risk_does_not_offer_what_comes_from_the_file_name(tmp_path: Path) -> None:
    _write(tmp_path, "risks/counterfeit.yaml", COUNTERFEIT + "labels: x\n")
    with pytest.raises(ConfigurationError, match="Did you mean 'label'") as caught:
        load_settings(tmp_path)
    assert " name," not in str(caught.value)
    assert "fallback_reason" not in str(caught.value)


def test_a_name_in_the_file_is_refused(tmp_path: Path) -> None:
    _write(tmp_path, "risks/counterfeit.yaml", COUNTERFEIT + "name: fake\n")
    _refused(tmp_path, "the name is that of the file, 'counterfeit'; remove the key")


def test_a_wrong_value_says_what_was_expected_and_what_came(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "training: {folds: many, seed: -1}\n")
    _refused(tmp_path, "training.seed: expected it to be greater than or equal to 0; came -1",
             "training.folds: expected it to be a valid integer", "came 'many'")  # fmt: skip


def test_at_most_five_problems_are_shown(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "".join(f"key{number}: 1\n" for number in range(8)))
    with pytest.raises(ConfigurationError, match="and 3 more") as caught:
        load_settings(tmp_path)
    assert str(caught.value).count("unknown key") == 5


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", f"training: {{folds: {'9' * 500}x}}\n")
    with pytest.raises(ConfigurationError, match="folds") as caught:
        load_settings(tmp_path)
    assert len(str(caught.value)) < 400


def test_a_check_of_our_own_speaks_for_itself(tmp_path: Path) -> None:
    _write(tmp_path, "risks/counterfeit.yaml", COUNTERFEIT + "model: {learn_rate: 0.1}\n")
    _refused(tmp_path, "model: 'learn_rate' is not a model parameter", "Did you mean 'learning_rate'?")


def test_a_broken_file_of_the_overlay(tmp_path: Path) -> None:
    _write(tmp_path, "capacity.yaml", "default: [\n")
    _refused(tmp_path, "capacity.yaml: line", "not valid YAML")


def test_a_section_that_is_no_mapping(tmp_path: Path) -> None:
    _write(tmp_path, "pipeline.yaml", "training: 7\n")
    _refused(tmp_path, "training: expected keys and values; came 7")


def test_no_such_folder(tmp_path: Path) -> None:
    _refused(tmp_path / "missing", "--configs: expected a folder;", "missing is none")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("pipline.yaml", "Did you mean 'pipeline.yaml'?"),
        ("risk/counterfeit.yaml", "Did you mean 'risks/'?"),
        ("risks/counterfeit.yml", r"expected files named \*\.yaml in risks/"),
        ("reference/exchange_rate.csv", "Did you mean 'exchange_rates.csv'?"),
        ("reference/exchange_rates.xlsx", r"expected files named \*\.csv"),
    ],
)
def test_a_file_that_would_be_ignored_in_silence_is_refused(tmp_path: Path, name: str, message: str) -> None:
    _write(tmp_path, name, COUNTERFEIT)
    with pytest.raises(ConfigurationError, match=message):
        load_settings(tmp_path)


def test_notes_and_hidden_files_may_lie_beside(tmp_path: Path) -> None:
    _write(tmp_path, "README.md", "why")
    _write(tmp_path, "risks/notes.md", "why")
    _write(tmp_path, ".gitignore", "")
    assert load_settings(tmp_path).risks.keys() == load_settings().risks.keys()


@pytest.mark.parametrize("file", ["pipeline.yaml", "capacity.yaml", "reasons.yaml", "risks/food_safety.yaml"])
def test_a_packaged_file_laid_over_itself_changes_nothing(tmp_path: Path, file: str) -> None:
    packaged = ROOT / "configs" / file
    _write(tmp_path, file, packaged.read_text(encoding="utf-8"))
    laid_over, packaged_only = load_settings(tmp_path), load_settings()
    assert laid_over.pipeline == packaged_only.pipeline
    assert laid_over.capacity == packaged_only.capacity
    assert laid_over.risks == packaged_only.risks

"""What a mapping makes of results: every value is covered and told, and nothing becomes false in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from pipelines.cli.main import run
from pipelines.store.store import Store

LABELS: dict[str, Any] = {"food_safety": {"column": "result", "true_when": ["1"]}}
MAPPING: dict[str, Any] = {
    "constants": {"line_no": 1, "currency": "USD", "hs_code": "020711", "total_price": 5},
    "rename": {"declaration_id": "id", "declared_at": "date"},
    "inspection": {
        "selection": "random", "inspection_probability": 1.0, "inspected_on": "date", "reported_on": "date",
    },
}  # fmt: skip


class Office:
    """Takes tables of results into a store by a mapping, through the command line."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.store, self._folder, self._capsys = folder / "S", folder, capsys

    def ingest(self, cells: Any, labels: dict[str, Any] = LABELS, **further: Any) -> tuple[int, str]:
        """The exit code and what was printed."""
        table = pl.DataFrame({"result": cells}).with_columns(
            id=pl.format("D{}", pl.int_range(pl.len())), date=pl.lit("2026-10-01")
        )
        table.write_parquet(self._folder / "results.parquet")
        content = {key: value for key, value in (MAPPING | {"labels": labels} | further).items() if value}
        (self._folder / "lab.yaml").write_text(yaml.safe_dump(content))
        mapping, file = self._folder / "lab.yaml", self._folder / "results.parquet"
        code = run(["ingest", str(file), "--store", str(self.store), "--mapping", str(mapping)])
        said = self._capsys.readouterr()
        return code, said.out + said.err

    def labels(self) -> list[bool | None]:
        return Store.open(self.store).read_inspections().sort("declaration_id")["food_safety"].to_list()


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    return Office(tmp_path, capsys)


@pytest.mark.parametrize(
    "cells",
    [["1.0", "0.0", " 1 ", "０", None], [1.0, 0.0, 1.0, 0.0, None], [True, False, True, False, None],
     ["1", "Negative", "1.0", " none", ""], [1, 0, 1, 0, None]],
)  # fmt: skip
def test_a_cell_means_what_it_says_in_any_spelling_and_type(office: Office, cells: list[Any]) -> None:
    code, said = office.ingest(cells)
    assert code == 0, said
    assert office.labels() == [True, False, True, False]
    assert "2 (true)" in said
    assert "(empty) 1 (null)" in said


def test_a_value_that_the_mapping_does_not_cover_is_named_with_its_count_and_the_line(office: Office) -> None:
    code, said = office.ingest(["1.0", "0", "positive", "Positive ", "26 Lab closed", "NA"])
    assert code == 3
    assert "'positive' (2 rows, the first is 3), '26 Lab closed' (1 row, the first is 5)" in said
    assert "'result'" in said
    assert "labels.food_safety" in said
    assert '`true_when: ["1", "positive"]`' in said
    assert '`null_when: ["26 Lab closed", "NA"]`' in said
    assert Store.open(office.store).read_inspections().is_empty()


def test_the_lines_of_the_message_make_the_table_readable(office: Office) -> None:
    rule = {"true_when": ["1", "positive"], "null_when": ["26 Lab closed", "NA"]}
    code, said = office.ingest(
        ["1.0", "0", "positive", "26 Lab closed"], {"food_safety": {"column": "result", **rule}}
    )
    assert code == 0, said
    assert office.labels() == [True, False, True]
    assert "label food_safety: " in said
    assert "'26 Lab closed' 1 (null)" in said


def test_with_a_list_of_what_is_false_nothing_else_is(office: Office) -> None:
    rule = {"food_safety": {"column": "result", "true_when": ["short"], "false_when": ["ok"]}}
    code, said = office.ingest(["short", "OK", "0"], rule)
    assert code == 3
    assert "'0' (1 row, the first is 3)" in said


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [({"true_from": 5}, [True, True, False]), ({"true_above": 5}, [True, False, False]),
     ({"true_up_to": 5}, [False, True, True]), ({"true_below": 5}, [False, False, True])],
)  # fmt: skip
def test_a_measured_number_is_true_beyond_its_threshold(
    office: Office, threshold: dict[str, Any], expected: list[bool]
) -> None:
    rule = {"food_safety": {"column": "result", "null_when": ["nd"], **threshold}}
    code, said = office.ingest(["5.5", "5", "4.9", "ND"], rule)
    assert code == 0, said
    assert office.labels() == expected
    assert "numbers" in said
    assert "'ND' 1 (null)" in said
    assert office.ingest(["<10"], rule)[0] == 3, "what is no number has to be listed"


def test_a_label_that_is_always_the_same_stops_the_run(office: Office) -> None:
    code, said = office.ingest(["0"] * 250)
    assert code == 3
    assert "the label food_safety is false for all 250 results of this run" in said
    assert "`may_be_constant: true`" in said
    assert not Store.open(office.store).declaration_days()
    assert office.ingest(["0"] * 199)[0] == 0
    allowed = {"food_safety": {**LABELS["food_safety"], "may_be_constant": True}}
    assert office.ingest(["0"] * 250, allowed)[0] == 0


def test_a_mapping_that_does_not_say_how_lines_were_chosen_is_refused(office: Office) -> None:
    dates = {"inspected_on": "date", "reported_on": "date"}
    code, said = office.ingest(["1", "0"], inspection=dates)
    assert code == 2
    assert "expected selection and inspection_probability, came nothing" in said
    assert "  inspection:\n    selection: null" in said
    assert "    inspection_probability: null" in said
    assert "follow-up sample" in said
    code, said = office.ingest(["1", "0"], inspection={**dates, "selection": "random"})
    assert code == 2
    assert "expected inspection_probability" in said
    unknown = {**dates, "selection": None, "inspection_probability": None}
    assert office.ingest(["1", "0"], inspection=unknown)[0] == 0
    assert Store.open(office.store).read_inspections()["selection"].to_list() == [None, None]


def test_a_channel_that_nobody_knows_is_refused(office: Office) -> None:
    code, said = office.ingest(["1", "0"], inspection={**MAPPING["inspection"], "selection": "randon"})
    assert code == 2
    assert "came 'randon'. Did you mean 'random'?" in said
    picked = {**MAPPING["inspection"], "selection": "officer", "inspection_probability": None}
    assert office.ingest(["1", "0"], inspection=picked)[0] == 0
    assert Store.open(office.store).read_inspections()["selection"].to_list() == ["officer"] * 2


def test_values_of_a_label_column_say_where_its_words_belong(office: Office) -> None:
    code, said = office.ingest(["ill", "0"], values={"food_safety": {"ill": "1"}})
    assert code == 2
    assert "under labels.food_safety, as true_when, false_when and null_when" in said


def test_a_word_cannot_mean_two_things(office: Office) -> None:
    rule = {"food_safety": {"column": "result", "true_when": ["1"], "false_when": ["1.0"]}}
    code, said = office.ingest(["1", "0"], rule)
    assert code == 2
    assert "labels.food_safety lists '1' under two of" in said


def test_the_manifest_has_the_values_too(office: Office) -> None:
    office.ingest(["1.0", "0", None])
    (file,) = (office.store / "manifests").glob("ingest-*.json")
    assert json.loads(file.read_text())["labels"]["food_safety"] == {
        "true": 1, "false": 1, "null": 1,
        "values": [
            {"value": "'0'", "label": False, "count": 1},
            {"value": "'1.0'", "label": True, "count": 1},
            {"value": "(empty)", "label": None, "count": 1},
        ],
    }  # fmt: skip

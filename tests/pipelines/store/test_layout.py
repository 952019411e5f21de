"""The layout of the store, and that no other module spells it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from pipelines.store.day_table import DayTable
from pipelines.store.layout import Layout, bucket_of, issue_of

ROOT = Path(__file__).resolve().parents[3]
OWNERS = tuple(f"pipelines/store/{name}.py" for name in ("layout", "day_table", "day_work"))
FOLDERS_OF_THEIR_OWN = ("pipelines/demo/folder.py",)
DAY = date(2026, 11, 20)
_DAY_FOLDER = re.compile(rf"([^ ]*/)?({'|'.join({table.column for table in DayTable})})=[^ ]*")


def modules() -> list[Path]:
    paths = sorted((ROOT / "pipelines").rglob("*.py"))
    return [path for path in paths if str(path.relative_to(ROOT)) not in OWNERS + FOLDERS_OF_THEIR_OWN]


def texts(node: ast.AST) -> set[str]:
    """The texts of an expression or module, without those that are a part of one."""
    if isinstance(node, ast.JoinedStr):
        return set()
    own = {node.value} if isinstance(node, ast.Constant) and isinstance(node.value, str) else set[str]()
    return own.union(*(texts(child) for child in ast.iter_child_nodes(node)))


def names_of_the_layout() -> set[str]:
    """The names of single files and of the program's own folders, as the layout spells them."""
    modules = [ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in OWNERS]
    return {text for module in modules for text in texts(module) if re.fullmatch(r"[a-z_]*\.[a-z]+", text)}


def spelled_paths(source: str, names: set[str]) -> Iterator[str]:
    """Each join below a store, or with a name that the layout gives, and each folder of a day."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            below = {each.attr for each in ast.walk(node.left) if isinstance(each, ast.Attribute)}
            if below & {"path", "layout"} or texts(node.right) & names:
                yield ast.unparse(node)
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and _DAY_FOLDER.fullmatch(node.value)
        ):
            yield ast.unparse(node)


def test_only_the_layout_spells_paths_of_the_store() -> None:
    names = names_of_the_layout()
    assert {"store.json", "sampling_list.parquet", ".lock", ".work", "tuning.db"} <= names
    found = {
        f"{path.relative_to(ROOT)}: {spelled}"
        for path in modules()
        for spelled in spelled_paths(path.read_text(encoding="utf-8"), names)
    }
    assert found == set()


@pytest.mark.parametrize(
    "source",
    [
        "store.path / 'lists'",
        "opened.path / name",
        "store.layout.mlflow / 'x'",
        "task.work.path / 'after'",
        "task.work.path.parent / other",
        "folder / 'sampling_list.parquet'",
        "root / '.work' / name",
        "t.stage_file(f'lists/declared_on={day}')",
        "folder.glob('declared_on=*')",
        "name = f'declared_on={day}'",
    ],
)
def test_a_path_that_is_spelled_elsewhere_is_found(source: str) -> None:
    assert list(spelled_paths(source, names_of_the_layout()))


def test_a_path_of_another_folder_is_no_fault() -> None:
    source = (
        "overlay / 'pipeline.yaml'; folder / name; total / store.layout.count; store.layout.file(table, day)"
    )
    assert not list(spelled_paths(source, names_of_the_layout()))


@pytest.mark.parametrize("table", DayTable)
def test_the_days_of_a_table_are_read_from_its_folders(tmp_path: Path, table: DayTable) -> None:
    layout = Layout(tmp_path)
    assert layout.days(table) == []
    for day in (DAY, date(2025, 1, 2), None):
        layout.partition(table, day).mkdir(parents=True)
    (layout.table(table) / f"{table.column}=2026-11-1").mkdir()
    (layout.table(table) / f"{table.column}=2026-11-21").touch()
    (layout.table(table) / "other=2026-11-21").mkdir()
    assert layout.days(table) == [date(2025, 1, 2), DAY]


def test_manifests_of_a_day_come_in_the_order_of_their_runs(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.manifest("score", DAY, 1).parent.mkdir()
    for number in (10, 9, 1):
        layout.manifest("score", DAY, number).touch()
    layout.manifest("select", DAY, 11).touch()
    assert [path.stem[-2:] for path in layout.manifests_of_day("score", DAY)] == ["-1", "-9", "10"]


def test_issued_lists_are_told_from_other_files(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    file = layout.issued_list(DAY, 12, "0123456789ab")
    file.parent.mkdir(parents=True)
    file.touch()
    file.with_name("12-other.parquet").touch()
    assert layout.issued(DAY) == [file]
    assert issue_of(file) == (12, "0123456789ab")


def test_what_is_kept_of_days_is_found_with_its_day(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for path in (layout.kept_sums(DAY, "0" * 64), layout.outcome(DAY), layout.work(DAY, "f" * 64).path):
        path.mkdir(parents=True)
    assert list(layout.all_kept_sums().values()) == [DAY]
    assert list(layout.outcomes()) == [DAY]
    assert [path.name for path in layout.works(DAY)] == [f"score-{DAY}-{'f' * 16}"]


def test_folders_beside_the_store_are_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Layout(Path("S")).mlflow == tmp_path / "S.mlflow"
    assert Layout(Path("S")).backtest(DAY, DAY) == tmp_path / "S.backtest" / f"{DAY}--{DAY}"


def test_another_file_is_no_bucket() -> None:
    with pytest.raises(ValueError, match=r"expected a name like bucket-003-of-008\.parquet, got part-1"):
        bucket_of(Path("part-1.parquet"))

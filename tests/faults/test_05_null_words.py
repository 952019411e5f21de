"""Words that mean nothing are nobody: a table with them gives the store of one without."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.main import run
from tests.pipelines.taken_in import stored_lines

WORDS = [
    "NULL",
    "nan",
    "None",
    r"\N",
    "#N/A",
    "#REF!",
    "无",
    "（空）",
    "ｎｕｌｌ",
    "--",
    "0",
    "<NA>",
    "暂 无",
    "/",
    "N / A",
]
PARTIES = (
    "platform_id",
    "seller_id",
    "agent_id",
    "carrier_id",
    "buyer_id",
    "address_id",
    "order_id",
    "waybill_id",
)


def stored(files: list[Path], store: Path, *options: str) -> pl.DataFrame:
    assert run(["ingest", *map(str, files), "--store", str(store), "--quiet", *options]) == 0
    return stored_lines(store)


def test_null_and_empty_give_the_same_store(shared: Path, tmp_path: Path) -> None:
    folder = shared / "faults" / "05-null-words"
    named, empty = (stored([folder / f"d-{name}.csv"], tmp_path / name) for name in ("NULL", "empty"))
    assert named.equals(empty)
    assert named["seller_id"].null_count() > 0


def table(**parties: object) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "declaration_id": [f"D{number}" for number in range(len(WORDS))],
            "line_no": 1,
            "declared_at": "2026-11-20",
            "hs_code": "950300",
            "total_price": 5,
            "currency": "CNY",
            "origin_country": "NA",
            "transport_mode": "0",
            **parties,
        }
    )


def test_every_word_in_every_party_is_nobody(tmp_path: Path) -> None:
    table(**dict.fromkeys(PARTIES, WORDS)).write_csv(tmp_path / "t.csv")
    found = stored([tmp_path / "t.csv"], tmp_path / "S")
    assert all(found[name].null_count() == len(WORDS) for name in PARTIES)
    assert found["origin_country"].unique().to_list() == ["NA"], "Namibia"
    assert found["transport_mode"].unique().to_list() == ["0"], "a mode of transport"


@pytest.mark.usefixtures("key")
def test_nobody_has_no_pseudonym(tmp_path: Path) -> None:
    table(buyer=WORDS).write_csv(tmp_path / "t.csv")
    names = [name for name in table().columns if name != "origin_country"]
    renamed = "".join(f"  {name}: {name}\n" for name in names) + "  buyer_id: buyer\n"
    (tmp_path / "m.yaml").write_text(f"rename:\n{renamed}pseudonymise: [buyer_id]\n", encoding="utf-8")
    found = stored([tmp_path / "t.csv"], tmp_path / "S", "--mapping", str(tmp_path / "m.yaml"))
    assert found["buyer_id"].null_count() == len(WORDS)


def test_the_words_are_configured(tmp_path: Path) -> None:
    table(seller_id=["leer", *["NULL"] * (len(WORDS) - 1)]).write_csv(tmp_path / "t.csv")
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "pipeline.yaml").write_text("ingest: {null_words: [leer]}\n", encoding="utf-8")
    found = stored([tmp_path / "t.csv"], tmp_path / "S", "--configs", str(tmp_path / "configs"))
    assert found["seller_id"].to_list() == [None, *["NULL"] * (len(WORDS) - 1)]


def test_a_parcel_without_a_number_is_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table().with_columns(pl.Series("declaration_id", WORDS)).write_csv(tmp_path / "t.csv")
    assert run(["ingest", str(tmp_path / "t.csv"), "--store", str(tmp_path / "S")]) == 3
    assert f"declaration_id:missing {len(WORDS)}" in capsys.readouterr().out

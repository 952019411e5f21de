"""The public Korean table goes in through its mapping with nothing quarantined."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.store.store import Store
from pipelines.work.progress import Progress


def test_every_row_is_a_declaration_and_an_inspection(tmp_path: Path, shared: Path) -> None:
    files = [shared / "korea" / name for name in ("train.csv", "valid.csv")]
    raw = pl.concat([pl.read_csv(path) for path in files])
    report = ingest(
        files,
        tmp_path / "S",
        IngestOptions(source="table", mapping="korea"),
        settings=load_settings(),
        progress=Progress.silent(),
    )
    assert report.exit_code == 0
    found = report.manifest
    assert (found["rows_in"], found["rows_kept"], found["rows_quarantined"]) == (raw.height, raw.height, 0)
    assert found["attached_results"]["rows_kept"] == raw.height
    assert found["values_nulled"] == {"net_weight_kg:out_of_range": (raw["Net Mass"] <= 0).sum()}

    store = Store.open(tmp_path / "S")
    assert (store.declaration_days()[0], store.declaration_days()[-1]) == (
        date(2020, 1, 1),
        date(2021, 3, 31),
    )
    lines = store.scan_declarations().collect()
    assert lines.height == raw.height
    categories = ("process_type", "import_type", "import_use", "payment_type", "tax_type", "origin_indicator")
    assert store.meta.extras == {**dict.fromkeys(categories, "category"), "tax_rate": "number"}
    results = store.read_inspections()
    assert results["undervaluation"].sum() == (raw["Fraud"] == 1).sum()
    assert results["critical_fraud"].sum() == (raw["Critical Fraud"] == 2).sum()
    assert results["selection"].unique().to_list() == ["random"]
    assert results["inspection_probability"].unique().to_list() == [1.0]
    assert (results["reported_on"] == results["inspected_on"]).all()

    row = lines.filter(pl.col("declaration_id") == "97061800").row(0, named=True)
    assert (row["hs_code"], row["dispatch_country"], row["buyer_id"]) == ("440890", "BE", "QLRUBN9")
    assert (row["currency"], row["unit_price"], row["net_weight_kg"]) == ("KRW", 372254.4 / 108.0, 108.0)
    assert (row["declared_on"], row["tax_type"], row["gross_weight_kg"]) == (date(2020, 1, 1), "FEU1", None)

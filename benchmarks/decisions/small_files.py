"""What a message costs in a file of its own, beside as many in one file.

`python -m benchmarks.decisions.small_files`.

One run of each, the ratio is what counts: `--files 3000` messages of one inventory with one line.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from configs.loader import load_settings
from pipelines.ingest.ingest import IngestOptions, ingest
from pipelines.work.progress import Progress

_KEY = "PARCEL_RISK_PSEUDONYM_KEY"
_NOW = datetime(2026, 11, 22, tzinfo=UTC)
_MESSAGE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<ceb:CEB621Message xmlns:ceb="http://www.chinaport.gov.cn/ceb" guid="1" version="1.0">{}'
    "</ceb:CEB621Message>"
)
_INVENTORY = (
    "<ceb:Inventory><ceb:InventoryHead><ceb:appType>1</ceb:appType><ceb:appTime>20261120101500</ceb:appTime>"
    "<ceb:appStatus>2</ceb:appStatus><ceb:copNo>C{number}</ceb:copNo><ceb:invtNo>{number}</ceb:invtNo>"
    "<ceb:ebcCode>4601234567</ceb:ebcCode><ceb:customsCode>4601</ceb:customsCode>"
    "<ceb:declTime>20261120</ceb:declTime><ceb:buyerIdNumber>B{number}</ceb:buyerIdNumber>"
    "<ceb:buyerName>N{number}</ceb:buyerName></ceb:InventoryHead>"
    "<ceb:InventoryList><ceb:gnum>1</ceb:gnum><ceb:gcode>0402210000</ceb:gcode><ceb:gname>milk</ceb:gname>"
    "<ceb:unit>035</ceb:unit><ceb:qty>2</ceb:qty><ceb:price>50</ceb:price><ceb:totalPrice>100</ceb:totalPrice>"
    "<ceb:currency>142</ceb:currency></ceb:InventoryList></ceb:Inventory>"
)


def main(arguments: Sequence[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--files", type=int, default=3_000)
    count = parser.parse_args(arguments).files
    os.environ.setdefault(_KEY, "a key for measurements, not a secret")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "many").mkdir()
        inventories = [_INVENTORY.format(number=f"{10**17 + number:018d}") for number in range(count)]
        for number, inventory in enumerate(inventories):
            (root / "many" / f"{number:06d}.xml").write_text(_MESSAGE.format(inventory), encoding="utf-8")
        (root / "one.xml").write_text(_MESSAGE.format("".join(inventories)), encoding="utf-8")
        # What is loaded and compiled only once is no cost of a message.
        (root / "first.xml").write_text(_MESSAGE.format(inventories[0]), encoding="utf-8")
        _seconds(root / "first.xml", root / "R", 1)
        one = _seconds(root / "one.xml", root / "S", count)
        many = _seconds(root / "many", root / "T", count)
    print(f"{count:,} messages in one file: {one:.2f} s, {one / count * 1e3:.2f} ms each")
    print(f"{count:,} messages in files of their own: {many:.2f} s, {many / count * 1e3:.2f} ms each")
    print(f"ratio {many / one:.1f}")
    return 0


def _seconds(path: Path, store: Path, rows: int) -> float:
    begin = time.perf_counter()
    options = IngestOptions(now=_NOW)
    report = ingest([path], store, options, settings=load_settings(), progress=Progress.silent())
    seconds = time.perf_counter() - begin
    if report.manifest["rows_kept"] != rows:
        raise SystemExit("\n".join(report.lines()))
    return seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Pictures of a list, of a case and of an office's report for README and docs, from simulated data.

    python -m benchmarks.pictures [--demo DIR] [--out DIR]     (or: make pictures)

DIR is the folder that `make demo` fills. Its store is copied; in the copy the lists of the last day are
issued once more, those of one office in Chinese, and of all days six parcels in seven come back with what is
true of them. It needs Chromium; the pictures change with whatever the pages show.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

import polars as pl
import yaml
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.judging.bound import truth_of
from configs.yaml_file import read_yaml
from pipelines.cases.case import CASE
from pipelines.demo.folder import DemoFolder
from pipelines.store.day_table import DayTable
from pipelines.store.files import read_whole
from pipelines.store.store import Store

ROOT = Path(__file__).resolve().parents[1]
_LABELS = ("undervaluation", "prohibited_item", "food_safety")
_LEFT_OUT = 7
_COLOURS = 64
_WIDE, _PHONE = 1280, 390


@dataclass(frozen=True)
class Office:
    """A copy of the demo's store, its settings, and what runs the program on it."""

    store: Store
    configs: Path

    @classmethod
    def copy_of(cls, demo: DemoFolder, folder: Path) -> Office:
        """The demo's store, models and settings, copied into a folder."""
        copy = DemoFolder(folder)
        for source in (demo.store, demo.tracking, demo.configs):
            shutil.copytree(source, folder / source.name)
        return cls(Store.open(copy.store), copy.configs)

    def run(self, verb: str, *options: object) -> None:
        """Run a verb, whose own messages say what went wrong.

        Raises:
            CalledProcessError: it did not end well.
        """
        given = [str(option) for option in options]
        places = ("--store", str(self.store.path), "--configs", str(self.configs), "--quiet")
        environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
        command = [sys.executable, "-m", "pipelines.cli.main", verb, *given, *places]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)

    def give_back(self, folder: Path) -> None:
        """Hand the lists back, a file a day."""
        for day in self.store.days(DayTable.LISTS):
            true = truth_of(self.store, day).group_by("declaration_id").agg(pl.col(_LABELS).any())
            listed = self._listed(day).filter(pl.col("rank") % _LEFT_OUT != 0)
            returned = listed.join(true, on="declaration_id")
            days = {"inspected_on": pl.lit(day), "reported_on": pl.lit(day + timedelta(days=1))}
            results = returned.select("declaration_id", *_LABELS, **days)
            results.write_csv(folder / f"{day}.csv")
        self.run("feedback", *sorted(folder.glob("*.csv")))

    def issue_again(self, day: date) -> tuple[str, str]:
        """The lists of a day once more; the offices with most parcels, the second of which reads Chinese."""
        counts = (
            self._listed(day).group_by("customs_office").len().sort("len", "customs_office", descending=True)
        )
        english, chinese = counts["customs_office"].to_list()[:2]
        capacity = self.configs / "capacity.yaml"
        settings = read_yaml(capacity) | {"offices": {chinese: {"language": "zh-CN"}}}
        capacity.write_text(yaml.safe_dump(settings), encoding="utf-8")
        self.run("select", "--date", day)
        return english, chinese

    def telling(self, day: date, english: str) -> str:
        """The parcel of an office that has earlier findings, if there is one that others travel with."""
        columns = ["customs_office", "declaration_id", CASE]
        issued = pl.concat(read_whole(file, columns) for file in self.store.layout.issued(day))
        found = pl.col("earlier").list.eval(pl.element().struct.field("found").list.len() > 0).list.sum()
        cases = issued.filter(customs_office=english).select("declaration_id", CASE).unnest(CASE)
        ordered = cases.select(
            "declaration_id", pl.col("companion_parcels").fill_null(0) > 0, found.fill_null(0).alias("found")
        ).sort("companion_parcels", "found", "declaration_id", descending=True)
        return str(ordered["declaration_id"][0])

    def _listed(self, day: date) -> pl.DataFrame:
        return read_whole(self.store.layout.file(DayTable.LISTS, day))


def draw(office: Office, browser: Browser, folder: Path, out: Path) -> Iterator[str]:
    """Draw all pictures, and name each that is done."""
    days = office.store.days(DayTable.LISTS)
    english, chinese = office.issue_again(days[-1])
    lists = office.store.layout.partition(DayTable.LISTS, days[-1])
    office.give_back(folder)
    office.run("report", "--from", days[0], "--to", days[-1], "--out", folder / "report")
    page_of = {name: (lists / f"{name}.html").as_uri() for name in (english, chinese)}
    for name, address, width, height in (
        ("list.png", page_of[english], _WIDE, 900),
        ("list-zh.png", page_of[chinese], _WIDE, 900),
        ("list-phone.png", page_of[english], _PHONE, 844),
        ("case.png", f"{page_of[english]}#case={office.telling(days[-1], english)}", _WIDE, 1400),
        ("report.png", (folder / "report/report.html").as_uri(), _WIDE, 1100),
    ):
        with browser.new_context(viewport={"width": width, "height": height}) as context:
            page = context.new_page()
            # A page that is filled in knows what day it is: the one after the list's.
            page.clock.set_fixed_time(datetime.combine(days[-1] + timedelta(days=1), time(9)))
            page.goto(address)
            _save(page, out / name)
        yield name


def _save(page: Page, out: Path) -> None:
    picture = Image.open(io.BytesIO(page.screenshot()))
    # Pages have few colours: a picture is a third as large with a palette of them.
    picture.convert("RGB").quantize(_COLOURS).save(out, optimize=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--demo", type=Path, default=ROOT / "demo", help="what `make demo` made")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/pictures", help="folder for the pictures")
    given = parser.parse_args()
    program, demo = shutil.which("chromium"), DemoFolder(given.demo.resolve())
    if program is None or not demo.store.is_dir():
        print("It takes Chromium (Debian: chromium) and a demo: make demo", file=sys.stderr)
        return 2
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        office = Office.copy_of(demo, Path(folder))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name in draw(office, browser, Path(folder), given.out):
            print(given.out / name)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

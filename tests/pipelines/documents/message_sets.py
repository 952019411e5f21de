"""Complete sets of official messages: some hundred parcels with all documents, all faults and all traps.

What is wrong is known (`MessageSet.expected`); a check that says anything else is wrong itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from configs.reference.facts import load_reference
from pipelines.simulation import World, WorldParameters, simulate_days
from pipelines.simulation.documents.documents import OpenedByCustoms, SimulatedDocuments, make_documents
from pipelines.simulation.documents.inventories import inventories_of
from pipelines.simulation.documents.kinds import spread_kinds
from pipelines.simulation.documents.parcels import complete_declarations, traded_parcels
from pipelines.simulation.documents.returns import states_of
from pipelines.simulation.messages.files import FileStyle, write_messages
from pipelines.simulation.messages.persons import identity_numbers, person_names, street_addresses, telephones
from pipelines.simulation.messages.values import Wording

END = date(2024, 9, 6)
"""Days before and on it are simulated; of the last applications for returns some are sent a year later.

All of it lies in the past, where ingest takes any time of sending. Order numbers of other days of a month can
look like identity numbers."""
DAYS = 4
PARCELS_PER_DAY = 230
_PERSONS = {
    **dict.fromkeys(("buyer_id", "payer_id", "consignee_id"), (identity_numbers, person_names)),
    "telephone_id": (telephones,),
    "address_id": (street_addresses,),
}
_OPENED_SHARE, _DETAINED_SHARE, _ASSESSED_SHARE = 0.12, 0.3, 0.5


@dataclass(frozen=True)
class MessageSet:
    """A set of messages and what is known about it.

    Attributes:
        folder: where the files are, nothing else is there.
        declarations: the lines of the inventories as they are known in the end, without withdrawn ones, with
            pseudonyms of the simulation instead of keyed hashes.
        documents: the parcels, all rows of each table (`tables`), and the truth.
        expected: what the checks of documents and returns must say, no more and no less: `declaration_id`,
            `line_no` (null: the whole parcel), `check`, `outcome`, `day`, and the `mechanism`: what is wrong.
        days: the days whose checks can say anything, oldest first.
        persons: everything raw that names a person, none of which may be found in a store.
    """

    folder: Path
    declarations: pl.DataFrame
    documents: SimulatedDocuments
    expected: pl.DataFrame
    days: list[date]
    persons: frozenset[str]


def message_frames(
    seed: int = 7, each: int = 3
) -> tuple[pl.DataFrame, SimulatedDocuments, dict[str, pl.DataFrame]]:
    """The lines of the final inventories, the documents, and the rows of all messages by their table.

    Every fault and trap comes `each` times. The same seed makes the same.
    """
    world = World.make(seed, WorldParameters.for_volume(200))
    days = simulate_days(world, DAYS, PARCELS_PER_DAY, END)
    lines = complete_declarations(pl.concat([day.declarations for day in days]), seed)
    rng = np.random.default_rng([seed, 22])
    parcels = traded_parcels(lines, seed)
    numbers = identity_numbers(seed, parcels["buyer_id"])
    parcels = parcels.with_columns(ends_in_x=numbers.str.ends_with("X").fill_null(value=False))
    parcels = parcels.with_columns(spread_kinds(parcels, each, rng))
    documents = make_documents(lines, parcels, _inspected(parcels, lines, rng), seed, rng)
    tables, inventories = documents.tables, inventories_of(lines, documents.parcels)
    frames = {"declarations": inventories, **tables, "waybill_states": _waybill_states(tables["waybills"])}
    tallied = tables["returns"].filter(pl.col("tallied_at").is_not_null())
    frames["tallies"] = tallied.drop("sent_at").rename({"tallied_at": "sent_at"})
    frames["cancellation_states"] = states_of(tables["cancellations"])
    frames["return_states"] = states_of(tables["returns"])
    last = inventories.unique("declaration_id", keep="last", maintain_order=True).select(
        "declaration_id", "app_type"
    )
    final = inventories.join(last, on=["declaration_id", "app_type"], nulls_equal=True, maintain_order="left")
    withdrawn = tables["cancellations"]["declaration_id"].implode()
    return final.filter(~pl.col("declaration_id").is_in(withdrawn)), documents, frames


def make_message_set(
    folder: Path, *, seed: int = 7, each: int = 3, style: FileStyle | None = None
) -> MessageSet:
    """Write a set into a folder; `style` says in which order and files, and changes nothing else."""
    lines, documents, frames = message_frames(seed, each)
    wording = Wording.of(seed, load_reference().on(END))
    write_messages(folder, frames, wording, style or FileStyle())
    expected = documents.truth.sort("day", "declaration_id", "check", "line_no")
    days = sorted({*documents.parcels["declared_on"], *expected["day"]})
    return MessageSet(folder, lines, documents, expected, days, _persons(frames, wording.seed))


def _inspected(parcels: pl.DataFrame, lines: pl.DataFrame, rng: np.random.Generator) -> OpenedByCustoms:
    """Open some parcels; of those whose goods go back or that are withdrawn none."""
    kind = pl.col("kind").fill_null("")
    stays = parcels.select(~(kind.str.contains("return") | kind.str.starts_with("cancelled"))).to_series()
    opened = parcels.filter(stays & pl.Series(rng.random(parcels.height) < _OPENED_SHARE))["declaration_id"]
    detained = opened.filter(pl.Series(rng.random(len(opened)) < _DETAINED_SHARE))
    priced = lines.filter(pl.col("declaration_id").is_in(opened.implode()))
    priced = priced.filter(pl.Series(rng.random(priced.height) < _ASSESSED_SHARE))
    assessed = priced.select(
        "declaration_id", "line_no", assessed_unit_price=(pl.col("unit_price") * 1.4).round(2)
    )
    return OpenedByCustoms(opened, detained, assessed)


def _waybill_states(waybills: pl.DataFrame) -> pl.DataFrame:
    """The messages of being signed for, of the waybills that have one."""
    signed = waybills.filter(pl.col("status").is_not_null()).drop("sent_at", "app_status", "app_type")
    return signed.rename({"status_sent_at": "sent_at"})


def _persons(frames: dict[str, pl.DataFrame], seed: int) -> frozenset[str]:
    found: set[str] = set()
    for frame in frames.values():
        for column, ways in _PERSONS.items():
            if column in frame.columns:
                known = frame[column].drop_nulls().unique()
                found |= {text for way in ways for text in way(seed, known)}
    # A name of two characters can be part of any word.
    return frozenset(text for text in found if len(text) > 2)

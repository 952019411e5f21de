"""Messages as files: in which order, how many documents a message and messages a file, in an envelope."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from pipelines.simulation.messages.documents import document_texts, layouts_of, message_text
from pipelines.simulation.messages.layout import MessageLayout
from pipelines.simulation.messages.values import Wording

_DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True)
class FileStyle:
    """How messages are put into files.

    Attributes:
        seed: of the order and the cutting; without one documents stand as they come, a message a file.
        documents: at most so many a message; the specification allows 100.
        messages: at most so many a file.
        edition: 2018 or 202205.
        prefix: of the namespace, with its colon; empty for a default namespace.
        enveloped: share of the messages in the E-Port's envelope, alone in their file.
        repeated: share of the documents that are sent twice.
    """

    seed: int | None = None
    documents: int = 100
    messages: int = 1
    edition: str = "202205"
    prefix: str = "ceb:"
    enveloped: float = 0.0
    repeated: float = 0.0


def write_messages(
    folder: Path, frames: Mapping[str, pl.DataFrame], wording: Wording, style: FileStyle
) -> list[Path]:
    """Write rows of tables as official messages into a folder and return the files.

    `frames` are by table (`layouts.LAYOUTS`), in the table's columns with persons as pseudonyms. Further
    columns say what no table does: `app_type` and `app_status` (null: new and declared), `spelling`
    (`persons.other_spelling`), `own_number` and `item_no` of inventories, `sent_at` of them. The same frames,
    seeds and style give the same bytes.

    Raises:
        KeyError: no message has the rows of such a table.
        ValueError: the edition does not have a message that the rows need.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(style.seed)
    messages = []
    for table, layout, rows in layouts_of(frames, edition=style.edition):
        texts = document_texts(rows, layout, wording, style.prefix)
        messages += [(table, text) for text in _messages(texts, layout, style, rng)]
    if style.seed is not None:
        messages = [messages[place] for place in rng.permutation(len(messages))]
    paths = []
    for number, (name, content) in enumerate(_files(messages, style, rng)):
        path = folder / f"{number:05d}-{name}.xml"
        path.write_text(content, encoding="utf-8")
        paths.append(path)
    return paths


def _messages(
    texts: pl.Series, layout: MessageLayout, style: FileStyle, rng: np.random.Generator
) -> Iterator[str]:
    if style.seed is not None:
        twice = np.flatnonzero(rng.random(len(texts)) < style.repeated)
        texts = texts[rng.permutation(np.concatenate([np.arange(len(texts)), twice]))]
    for number, start in enumerate(range(0, len(texts), style.documents)):
        part = texts[start : start + style.documents]
        yield message_text(part, layout, number, style.prefix)


def _files(
    messages: list[tuple[str, str]], style: FileStyle, rng: np.random.Generator
) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each file: messages one behind the other, or one in its envelope."""
    is_wrapped = rng.random(len(messages)) < style.enveloped
    plain = [message for message, wrapped in zip(messages, is_wrapped, strict=True) if not wrapped]
    for start in range(0, len(plain), style.messages):
        part = plain[start : start + style.messages]
        name = part[0][0] if len({table for table, _ in part}) == 1 else "mixed"
        yield name, "\n".join(_DECLARATION + text for _, text in part) + "\n"
    for (table, text), wrapped in zip(messages, is_wrapped, strict=True):
        if wrapped:
            yield table, _enveloped(_DECLARATION + text)


def _enveloped(text: str) -> str:
    data = base64.encodebytes(text.encode()).decode()
    return (
        f'{_DECLARATION}<DxpMsg xmlns="http://www.chinaport.gov.cn/dxp" ver="1.0"><TransInfo>'
        "<CopMsgId>M1</CopMsgId><SenderId>DXPENT0000000001</SenderId></TransInfo>"
        f"<Data>{data}</Data></DxpMsg>\n"
    )

"""Rows of a table as the documents of a message, each a text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import polars as pl

from features.arrays.hashing import hash_text
from pipelines.simulation.messages.layout import MessageLayout
from pipelines.simulation.messages.layouts import LAYOUTS
from pipelines.simulation.messages.values import Wording, shown
from pipelines.simulation.world.randomness import hex_text, mix, salt

NAMESPACE: Final = "http://www.chinaport.gov.cn/ceb"
_VERSION: Final = ("sent_at", "app_type", "app_status")
_SIGNATURE: Final = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo/>'
    "<ds:SignatureValue>AAAA</ds:SignatureValue></ds:Signature>"
)


def layouts_of(
    frames: Mapping[str, pl.DataFrame], *, edition: str
) -> Iterator[tuple[str, MessageLayout, pl.DataFrame]]:
    """Yield by table and direction the layout of the rows, and the rows; nothing where there are none.

    A table without `direction` has imports alone.

    Raises:
        KeyError: no message has the rows of such a table.
        ValueError: the edition (2018 or 202205) does not have a message that the rows need.
    """
    if edition not in ("2018", "202205"):
        raise ValueError(f"expected the edition 2018 or 202205, got {edition!r}")
    for table, frame in frames.items():
        for direction, layout in LAYOUTS[table].items():
            has_direction = "direction" in frame.columns
            rows = frame.filter(direction=direction) if has_direction else frame
            if rows.is_empty():
                continue
            if layout.is_new and edition == "2018":
                raise ValueError(f"{table}: the edition of 2018 has no {layout.root}")
            yield table, layout, rows


def document_texts(
    rows: pl.DataFrame, layout: MessageLayout, wording: Wording, prefix: str = "ceb:"
) -> pl.Series:
    """Return the text of each document of some rows, in the order in which they first come.

    Rows are lines where the layout has lines; what their head says stands on each of them. Rows of one key
    are different documents where they were sent at another time, or for another purpose.
    """
    key = [name for name in (*layout.key, *_VERSION) if name in rows.columns]
    identity = rows.select(
        pl.concat_str([pl.col(name).cast(pl.String).fill_null("") for name in key], separator="/")
    ).to_series()
    head = shown(rows, layout.fields, wording).insert_column(0, _guids(wording.seed, identity, layout.root))
    table = pl.DataFrame({"document": identity, "head": _element(head, layout.head, prefix)})
    if not layout.around:
        return table.unique("document", maintain_order=True)["head"]
    if layout.line:
        lines = shown(rows, layout.line_fields, wording)
        table = table.with_columns(_element(lines, layout.line, prefix).alias("line"))
    else:
        table = table.with_columns(line=pl.lit(""))
    whole = table.group_by("document", maintain_order=True).agg(
        pl.col("head").first(), pl.col("line").str.join("")
    )
    name = f"{prefix}{layout.around}"
    return whole.select(pl.concat_str(pl.lit(f"<{name}>"), "head", "line", pl.lit(f"</{name}>"))).to_series()


def message_text(documents: pl.Series, layout: MessageLayout, number: int, prefix: str) -> str:
    """Return a message with these documents, without an XML declaration; `number` tells it from others.

    Where the schema wants a signature there is one, no real one.
    """
    guid = _guids(number, pl.Series([layout.root]), "message")[0]
    name = f"{prefix}{layout.root}"
    declared = f"xmlns:{prefix[:-1]}" if prefix else "xmlns"
    parts = [f'<{name} guid="{guid}" version="1.0" {declared}="{NAMESPACE}">', *documents]
    if layout.is_sent:
        sender = {"copCode": "4401000000", "copName": "企业", "dxpMode": "DXP", "dxpId": "DXPENT0000000001"}
        inner = "".join(f"<{prefix}{field}>{text}</{prefix}{field}>" for field, text in sender.items())
        parts.append(f"<{prefix}BaseTransfer>{inner}</{prefix}BaseTransfer>")
    if layout.is_signed:
        parts.append(_SIGNATURE)
    return "\n".join([*parts, f"</{name}>"])


def _element(texts: pl.DataFrame, name: str, prefix: str) -> pl.Series:
    """One element a row with an inner one for each column that is not null."""
    inner = [
        pl.concat_str(pl.lit(f"<{prefix}{field}>"), _escaped(field), pl.lit(f"</{prefix}{field}>")).fill_null(
            ""
        )
        for field in texts.columns
    ]
    around = (pl.lit(f"<{prefix}{name}>"), *inner, pl.lit(f"</{prefix}{name}>"))
    return texts.select(pl.concat_str(around).alias("element")).to_series()


def _escaped(column: str) -> pl.Expr:
    return pl.col(column).str.replace_many(["&", "<", ">"], ["&amp;", "&lt;", "&gt;"])


def _guids(seed: int, keys: pl.Series, name: str) -> pl.Series:
    """Return 36 characters for each key, with hyphens as in a UUID."""
    numbers = hash_text(keys).to_numpy()
    digits = hex_text(mix(salt(seed, f"{name} 1"), numbers)) + hex_text(mix(salt(seed, f"{name} 2"), numbers))
    frame = pl.DataFrame({"digits": digits.str.to_uppercase()})
    places = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    parts = [pl.col("digits").str.slice(start, length) for start, length in places]
    return frame.select(pl.concat_str(parts, separator="-").alias("guid")).to_series()

"""What the E-Port's transport envelope (`DxpMsg`) holds: mostly a message in Base64."""

from __future__ import annotations

import base64
import binascii
import codecs
from typing import Final
from xml.sax.saxutils import unescape

from configs.errors import DataError
from pipelines.ingest.markup.xml_pieces import Payload, told

_CDATA: Final = b"<![CDATA["


def unpacked(piece: Payload, where: str) -> bytes:
    """The bytes of the message in an envelope; those that were a text of the envelope are marked as UTF-8.

    Raises:
        DataError: the envelope holds no message.
    """
    content = piece.content.strip()
    if content.startswith(_CDATA):
        content = content.removeprefix(_CDATA).partition(b"]]>")[0].strip()
    elif content.startswith(b"&lt;"):
        content = unescape(content.decode(piece.codec, "replace"), {"&quot;": '"', "&apos;": "'"}).encode()
        return codecs.BOM_UTF8 + content
    if content.startswith(b"<"):
        return codecs.BOM_UTF8 + content.decode(piece.codec, "replace").encode()
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise DataError(told(where, piece.place, "an envelope that holds no message in Base64")) from None

"""In which encoding an XML file is written: by its byte order mark, by what it declares, by what it holds."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import chain
from typing import Final

UTF_8: Final = "utf-8"
_DECLARED: Final = re.compile(rb"""\sencoding\s*=\s*["']([^"'>]*)""")

# The longer marks first: that of UTF-16 begins that of UTF-32.
_WIDE: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00\x00\x00", "utf-32-le"),
    (b"\x00\x00\x00<", "utf-32-be"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
# GB18030 holds all of GB2312 and GBK, and files that declare one of these hold characters of the larger ones.
_CODECS: Final = {
    "ascii": "ascii",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb18030": "gb18030",
    "big5": "cp950",
    "cp950": "cp950",
    "big5hkscs": "big5hkscs",
    "euc_kr": "cp949",
    "cp949": "cp949",
    "euc_jp": "euc_jp",
    "shift_jis": "cp932",
    "cp932": "cp932",
}
_ONE_BYTE: Final = ("iso8859", "cp125", "koi8")
_ASIAN: Final = re.compile("[\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef]")


def utf8_blocks(blocks: Iterator[bytes]) -> tuple[Iterator[bytes], bool]:
    """Blocks of a file of which the markup is ASCII, and whether they are UTF-8 whatever the file declares.

    UTF-16 and UTF-32 become UTF-8. What is no character there becomes what is none in UTF-8, so that whoever
    parses it finds it.
    """
    first = next(blocks, b"")
    name = next((name for mark, name in _WIDE if first.startswith(mark)), None)
    if name is None:
        return chain([first], blocks), first.startswith(codecs.BOM_UTF8)
    decode = codecs.getincrementaldecoder(name)("surrogatepass").decode
    return (decode(block).encode(UTF_8, "surrogatepass") for block in chain([first], blocks)), True


def codec_of_declaration(declaration: bytes) -> str | None:
    """Python's codec for the encoding that an XML declaration names, None where such files are not read.

    A file whose declaration can be read byte by byte is not in UTF-16, whatever it declares.

    >>> codec_of_declaration(b'<?xml version="1.0" encoding="GB2312"?>')
    'gb18030'
    >>> codec_of_declaration(b"<?xml version='1.0'?>"), codec_of_declaration(b"<?xml encoding='utf-16'?>")
    ('utf-8', 'utf-8')
    """
    declared = _DECLARED.search(declaration)
    if declared is None:
        return UTF_8
    try:
        codec = codecs.lookup(declared[1].decode(errors="replace").strip()).name
    except (LookupError, ValueError):
        return None
    if codec.startswith(("utf-8", "utf-16", "utf-32")):
        return UTF_8
    return codec if codec.startswith(_ONE_BYTE) else _CODECS.get(codec)


class WrongEncodingError(ValueError):
    """Bytes that are no text in the encoding that the file declares; `start` is the first of them."""

    def __init__(self, start: int, problem: str) -> None:
        super().__init__(problem)
        self.start = start


def to_utf8(text: bytes, codec: str) -> bytes:
    """Text of a file in UTF-8.

    Raises:
        WrongEncodingError: it is no text in the codec, or is written in another encoding without doubt.
    """
    if text.isascii():
        return text
    try:
        decoded = text.decode(codec)
    except UnicodeDecodeError as error:
        fitting = next((other.upper() for other in (UTF_8, "gb18030") if _fits(text, other)), None)
        hint = "" if fitting is None else f"; they would fit {fitting}"
        raise WrongEncodingError(error.start, f"bytes that are no text in {codec.upper()}{hint}") from None
    if codec == UTF_8:
        return text
    # Bytes of GBK that all happen to be characters of UTF-8, some of three bytes, are not met in practice.
    if _fits(text, UTF_8) and _ASIAN.search(text.decode(UTF_8)):
        start = next(place for place, byte in enumerate(text) if byte >= 0x80)
        raise WrongEncodingError(start, f"a text in UTF-8, though the file declares {codec.upper()}")
    return decoded.encode(UTF_8)


def _fits(text: bytes, codec: str) -> bool:
    try:
        text.decode(codec)
    except UnicodeDecodeError:
        return False
    return True

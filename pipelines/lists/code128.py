"""Code 128 of a waybill as a picture: what a scanner reads from the printed list, without a font of its own.

Source: ISO/IEC 15417.
"""

from __future__ import annotations

import re
import struct
import zlib

# Widths of three bars and three gaps, by value: each is 11 modules wide, with an even number of dark ones.
_PATTERNS = re.findall(
    r"\d{6}",
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231"
    "113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211"
    "212123 212321 232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131"
    "113123 113321 133121 313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111"
    "314111 221411 431111 111224 111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211"
    "241211 221114 413111 241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141"
    "214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 211214"
    "211232",
)
_STOP = "2331112"
_START_B, _START_C, _TO_B, _TO_C = 104, 105, 100, 99
_QUIET = 10
_HEIGHT = 8
# Pairs of digits are shorter, but changing to them and back costs a symbol each.
_DIGITS = re.compile(r"(?:\d\d){2,}$|(?:\d\d){3,}")
MOST_CHARACTERS = 32
"""Longer numbers are wider than the column of a page."""


def modules_of(text: str) -> str:
    """Dark and light modules as 1 and 0, with the quiet zones; empty where the text cannot be encoded.

    >>> modules_of("A1"), modules_of("单")
    ('00000000001101001000010100011000100111001101000010011011000111010110000000000', '')
    """
    if not re.fullmatch(rf"[ -~]{{1,{MOST_CHARACTERS}}}", text):
        return ""
    values = _values(text)
    check = (values[0] + sum(place * value for place, value in enumerate(values))) % 103
    widths = "".join(_PATTERNS[value] for value in (*values, check)) + _STOP
    bars = "".join("10"[place % 2] * int(width) for place, width in enumerate(widths))
    quiet = "0" * _QUIET
    return quiet + bars + quiet


def picture(modules: str) -> bytes:
    """A PNG, one pixel a module and 8 high: whoever draws it makes it larger."""
    bits = "".join("10"[int(module)] for module in modules)
    row = int(bits.ljust(-len(bits) // 8 * -8, "1"), 2).to_bytes(-(-len(bits) // 8))
    head = struct.pack(">IIBBBBB", len(modules), _HEIGHT, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress((b"\x00" + row) * _HEIGHT, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _values(text: str) -> list[int]:
    """Start, characters of code set B and pairs of digits of set C."""
    values: list[int] = []
    pairs, at = False, 0
    while at < len(text):
        digits = _DIGITS.match(text, at)
        if digits:
            values.append(_TO_C if values else _START_C)
            values += [int(text[place : place + 2]) for place in range(at, digits.end(), 2)]
            at, pairs = digits.end(), True
            continue
        if pairs or not values:
            values.append(_TO_B if pairs else _START_B)
        values.append(ord(text[at]) - 32)
        at, pairs = at + 1, False
    return values

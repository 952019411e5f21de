"""Values that should not stand in a file: what spreadsheets, databases and people leave there."""

from __future__ import annotations

from random import Random
from typing import Final

NASTY: Final = (
    *(
        "",
        " ",
        "\t",
        "0",
        "-1",
        "1e400",
        "nan",
        "inf",
        "-inf",
        "NULL",
        "null",
        "None",
        "N/A",
        "#N/A",
        "\\N",
        "-",
    ),
    *(
        "无",
        "不详",
        "／",
        "９９９",
        "1,234.50",
        "1.234,50",
        "0,125",
        "1'000",
        "1 000",
        "１２",
        "¥12",
        "12元",
        "½",
    ),
    *("4403062026112010000000000001", "9" * 400, "-" * 50, "1.0123E+17", "0x1F", "1_000", "+5", "5-", "1e5"),
    *(
        "2026-11-31",
        "2026/11/2 18:05",
        "20/11/2026",
        "20261120240000",
        "0000-00-00",
        "1900-01-00",
        "9999-12-31",
    ),
    *("2006-11-20", "46346", "2026-11-20T10:00:00+25:00", "2026-11-20 02:15 PM", "昨天", "2026年11月20日"),
    *(
        "=1+1",
        "@SUM(A1)",
        "<b>x</b>",
        "a&b",
        "&amp;",
        '5" screen',
        '"',
        '""',
        "'",
        "a,b;c\td",
        "a\nb",
        "a\r\nb",
    ),
    *(
        "\ufeffx",
        "\x00",
        "\x0b",
        "\u202e",
        "\ud7ff",
        "\U0010ffff",
        "e\u0301",
        "🦎",
        "x" * 5_000,
        "TRUE",
        "yes",
    ),
    *(
        "11010519491231002X",
        "11010519491231002Ｘ",
        "139 0000 1111",
        "true",
        "positive",
        "26 Lab closed",
        "1.0",
    ),
)


def nasty(random: Random) -> str:
    """One of these values."""
    return random.choice(NASTY)


def broken_bytes(content: bytes, random: Random) -> bytes:
    """A few bytes changed, lost, doubled or added, or the end cut off."""
    data = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 5, 40))):
        if not data:
            break
        at = random.randrange(len(data))
        match random.randrange(6):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                del data[at : at + random.choice((1, 2, 7, 100))]
            case 2:
                data[at:at] = bytes(random.randrange(256) for _ in range(random.choice((1, 3))))
            case 3:
                data[at:at] = data[at : at + random.choice((1, 30, 400))]
            case 4:
                del data[at:]
            case _:
                data[at] ^= 1 << random.randrange(8)
    return bytes(data)


def re_encoded(text: str, random: Random) -> bytes:
    """The text in another encoding, with or without a mark, or bytes that are none."""
    name = random.choice(
        (
            "utf-8-sig",
            "gb18030",
            "gbk",
            "big5",
            "shift_jis",
            "euc_kr",
            "utf-16",
            "utf-16-le",
            "utf-32",
            "latin-1",
        )
    )
    return text.encode(name, errors=random.choice(("replace", "ignore", "xmlcharrefreplace")))

"""CEB messages, broken: fields, elements, order, encodings and bytes."""

from __future__ import annotations

import re
from random import Random

from benchmarks.mutated.values import broken_bytes, nasty, re_encoded
from tests.pipelines.ceb_documents import (
    EXPORT_HEAD,
    EXPORT_LINE,
    IMPORT_HEAD,
    IMPORT_LINE,
    inventory,
    message,
)

_FIELD = re.compile(r"<ceb:(\w+)>([^<]*)</ceb:\1>")


def valid_message(random: Random) -> str:
    """One to six inventories with changes and deletions of them, of one direction."""
    export = random.random() < 0.3
    head, line = (EXPORT_HEAD, EXPORT_LINE) if export else (IMPORT_HEAD, IMPORT_LINE)
    inventories = []
    for number in range(random.randint(1, 6)):
        # Some numbers come twice: with a change or a deletion.
        own = random.randint(1, number + 1)
        fields = dict(head) | {
            "copNo": f"COP{own}",
            "invtNo": f"29912026I00000{own:04d}",
            "orderNo": f"ORDER{own}",
            "appType": random.choice("11123"),
            "appTime": f"202611{random.randint(18, 20)}{random.randint(0, 23):02d}3000",
        }
        goods = [line | {"gnum": str(place + 1)} for place in range(random.randint(1, 3))]
        inventories.append(inventory(fields, *goods))
    return message(inventories, name="CEB603Message" if export else "CEB621Message")


def broken_message(random: Random) -> bytes:
    """A message with one thing wrong, or some."""
    text = valid_message(random)
    for _ in range(random.choice((1, 1, 2, 4))):
        text = _with_a_fault(text, random)
    match random.randrange(6):
        case 0:
            return broken_bytes(text.encode("utf-8", "replace"), random)
        case 1:
            return re_encoded(text, random)
        case _:
            return text.encode("utf-8", "replace")


def _with_a_fault(text: str, random: Random) -> str:
    fields = list(_FIELD.finditer(text))
    if not fields:
        return text
    one, other = random.choice(fields), random.choice(fields)
    before, whole, after = text[: one.start()], one.group(), text[one.end() :]
    name, value = one.groups()
    match random.randrange(11):
        case 0 | 1 | 2:
            whole = f"<ceb:{name}>{nasty(random)}</ceb:{name}>"
        case 3:
            whole = ""
        case 4:
            whole += f"<ceb:{name}>{random.choice((value, nasty(random)))}</ceb:{name}>"
        case 5:
            half = len(value) // 2
            whole = f"<ceb:{name}>{value[:half]}<ceb:b>{value[half:]}</ceb:b>{value[half:]}</ceb:{name}>"
        case 6:
            whole = f"<ceb:{name}>{other.group(2)}</ceb:{name}>"
        case 7:
            whole = whole.replace("</", "<", 1)
        case 8:
            whole = f"<ceb:{name.lower()}>{value}</ceb:{name.lower()}>"
        case 9:
            whole = f"<!-- {value} --><![CDATA[{value}]]>{whole}<?php {value} ?>"
        case _:
            parts = re.split(r"(?=<ceb:Inventory>)", text)
            first, rest = parts[0], parts[1:]
            random.shuffle(rest)
            return first + "".join(rest)
    return before + whole + after

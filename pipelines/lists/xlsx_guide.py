"""The second sheet of an office's workbook: what to look for, and how to read and fill in the list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pipelines.lists.office_list import OfficeList

_WIDTHS = (34, 90)
HOW_TO_READ: dict[str, str] = {
    "Chance": "How many of such parcels have a finding, for the risk that is named.",
    "Usual CNY": "What goods like these usually cost in all, where the model knows.",
    "at random": "These parcels measure how good the choice is: please open them like the others.",
    "Result": "One for each risk. Unless you looked for it, leave a risk empty or say that it was not "
    "examined: nothing found is something else.",
    "Opened instead": "If you opened another parcel in place of the listed one: its number, and why.",
    "⟦U+…⟧": "A hidden character in the declared text, spelled out.",
    "Sorting": "Filters work as it is. Some programs sort only an unprotected sheet: there is no password.",
}
"""Topics and what there is to say of them."""


def write_guide(
    sheet: Any,
    office_list: OfficeList,
    formats: dict[str, Any],
    row_height: Callable[[Sequence[str], Sequence[int]], float],
) -> None:
    """Writes what to look for, risk by risk, and a word on every column that needs one."""
    words = office_list.language
    for column, width in enumerate(_WIDTHS):
        sheet.set_column(column, column, width)
    lines = [(guide.title, "\n".join(guide.look_for)) for guide in office_list.guides]
    lines += [(words(topic), words(text)) for topic, text in HOW_TO_READ.items()]
    sheet.write_string(0, 0, words("What to look for, and how to read the list"), formats["title"])
    for number, (topic, text) in enumerate(lines, start=2):
        sheet.set_row(number, row_height((topic, text), _WIDTHS))
        sheet.write_string(number, 0, topic, formats["head"])
        sheet.write_string(number, 1, text, formats["plain"])
    sheet.protect()
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)

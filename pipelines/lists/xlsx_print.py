"""The sheet of an office's workbook to print: A4 across, of a size that can be read, waybills to scan."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from configs.language import Language
from features.contract.result_words import NOT_OPENED, RESULT_WORDS
from pipelines.lists.code128 import modules_of, picture
from pipelines.lists.fields import PRINT_TITLE
from pipelines.lists.office_list import OfficeList
from pipelines.lists.parcel import ListRow
from pipelines.lists.xlsx_columns import lines_in_words, row_height

_FONT = 9
# In characters: together they are as wide as the paper at the size of the font.
_WIDTHS = (5, 30, 35, 15, 36, 35)
_HEADINGS = ("Rank", "Parcel", "Goods as declared", "Risk", "Why", "Result")
_HEAD_ROW = 4
_BOX = "□"
_BAR_POINTS = 26.0
# Three tenths of a millimetre a module, which hand-held scanners read, as pixels of a sheet (96 an inch).
_MODULE_PIXELS = 0.3 / 25.4 * 96
_MOST_PIXELS = 7 * _WIDTHS[1] - 4
_MOST_FOOTER = 255
_MOST_LINES = 6


def write_print_sheet(book: Any, office_list: OfficeList) -> None:
    """Adds the sheet; its first cell tells `feedback` that there is nothing to read back."""
    words = office_list.language
    sheet = book.add_worksheet(words("To print"))
    plain = {"font_size": _FONT, "text_wrap": True, "valign": "top"}
    cell = book.add_format(plain | {"border": 1, "num_format": "@"})
    head = book.add_format(plain | {"border": 1, "bold": True, "bg_color": "#E6E6E6"})
    rank = book.add_format(plain | {"border": 1, "bold": True, "font_size": 12, "align": "center"})
    sheet.write_string(0, 0, words(PRINT_TITLE), book.add_format({"font_size": _FONT, "italic": True}))
    sheet.write_string(1, 0, office_list.title, book.add_format({"bold": True, "font_size": 13}))
    about = [words.day(office_list.day), office_list.summary, *_list_number(office_list)]
    sheet.write_string(2, 0, "   ".join(about), book.add_format({"font_size": _FONT}))
    if office_list.warning:
        sheet.write_string(3, 0, office_list.warning, book.add_format({"font_size": _FONT, "bold": True}))
    for column, (width, heading) in enumerate(zip(_WIDTHS, _HEADINGS, strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(_HEAD_ROW, column, words(heading), head)
    for number, row in enumerate(office_list.rows, start=_HEAD_ROW + 1):
        texts = ["\n".join(part) for part in _parts(row, office_list)]
        modules = modules_of(str(row.values["waybill_id"] or ""))
        room = _BAR_POINTS + 6 if modules else 0.0
        heights = [row_height([text], [width], _FONT) for text, width in zip(texts, _WIDTHS[1:], strict=True)]
        sheet.set_row(number, max(heights[0] + room, *heights[1:]))
        sheet.write_number(number, 0, float(row.values["rank"] or 0), rank)
        for column, text in enumerate(texts, start=1):
            sheet.write_string(number, column, text, cell)
        if modules:
            _draw(sheet, number, modules, heights[0])
    _lay_out(sheet, office_list)


def _draw(sheet: Any, number: int, modules: str, below_points: float) -> None:
    width = min(_MODULE_PIXELS, _MOST_PIXELS / len(modules))
    options = {
        "image_data": io.BytesIO(picture(modules)),
        "x_scale": width,
        "y_scale": _BAR_POINTS / 0.75 / 8,
        "x_offset": 2,
        "y_offset": round(below_points / 0.75),
        "object_position": 1,
        "decorative": True,
    }
    sheet.insert_image(number, 1, f"{number}.png", options)


def _parts(row: ListRow, office_list: OfficeList) -> Iterator[list[str]]:
    """The lines of each column but the rank."""
    words, values = row.words, row.values
    line = str(values["line_no"])
    place = words("line {line} of {lines}", line=line, lines=len(row.lines)) if row.lines else ""
    way = (
        values["direction"],
        values["trade_mode"],
        _pair(words, "sent from", values["dispatch_country"]),
        _pair(words, "sent to", values["destination_country"]),
    )
    yield _told(
        values["declaration_id"],
        " · ".join(str(each) for each in way if each),
        _pair(words, "Gross weight", _kg(words, values["gross_weight_kg"])),
        _pair(words, "Travels with rank", values["together"]),
        _pair(words, "Waybill", values["waybill_id"]),
    )
    price = values["expected_price_cny"]
    reference = None if price is None else words.money(float(price), "CNY")
    basis = values.get("expected_price_basis")
    yield _told(
        values["item_name"] or words("no name declared"),
        row.reads_as,
        values["item_model"],
        words(", ").join(
            filter(
                None,
                (
                    place,
                    words("HS {code}", code=values["hs_code"] or "–"),
                    _pair(words, "made in", values["origin_country"]),
                ),
            )
        ),
        _pair(words, "Declared", _cny(words, values["total_price_cny"])),
        _pair(
            words,
            "Reference",
            words("{text} ({aside})", text=reference, aside=basis) if reference and basis else reference,
        ),
        *(lines_in_words(row, words, _MOST_LINES) if len(row.lines) > 1 else ()),
        _pair(words, "Whole parcel", _cny(words, row.total_cny)) if len(row.lines) > 1 else None,
    )
    chosen = None if row.selection == "risk" else values["selection"]
    yield _told(values["risk"], values["chance"], chosen)
    likelier = (each.sentence for each in row.likelier)
    yield _told(*(f"• {each}" for each in (*row.reasons, *row.verdicts, *likelier)))
    boxes = [f"{_BOX} {words(said)}" for said in RESULT_WORDS.values()]
    yield [
        *(f"{guide.title}\n{'  '.join(boxes)}" for guide in office_list.results),
        f"{words('Not opened because')}\n{'  '.join(f'{_BOX} {words(why)}' for why in NOT_OPENED.values())}",
        words("{field}: {words}", field=words("Note"), words=""),
        "",
    ]


def _told(*texts: object) -> list[str]:
    return [str(text) for text in texts if text]


def _pair(words: Language, heading: str, value: object) -> str | None:
    return f"{words(heading)} {value}" if value else None


def _kg(words: Language, weight: object) -> str | None:
    return words("{weight} kg", weight=f"{weight:,.6g}") if isinstance(weight, float) else None


def _cny(words: Language, value: object) -> str | None:
    return words.money(value, "CNY") if isinstance(value, float) else None


def _list_number(office_list: OfficeList) -> list[str]:
    number = office_list.list_id
    return [office_list.language("List {number}", number=number)] if number else []


def _lay_out(sheet: Any, office_list: OfficeList) -> None:
    words = office_list.language
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.set_margins(left=0.4, right=0.4, top=0.65, bottom=0.75)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(_HEAD_ROW)
    sheet.print_area(0, 0, _HEAD_ROW + max(len(office_list.rows), 1), len(_WIDTHS) - 1)
    sheet.freeze_panes(_HEAD_ROW + 1, 0)
    # An ampersand begins a code of the format.
    title = office_list.title.replace("&", "&&")[:120]
    number = "".join(_list_number(office_list))
    sheet.set_header(f"&L&9{title}&R&9{number}")
    signed = words("Officers: {line}  Signatures: {line}  Date: {short}", line="_" * 26, short="_" * 12)
    page = words("Page {page} of {pages}", page="&P", pages="&N")
    sheet.set_footer(f"&L&9{signed}&R&9{page}"[:_MOST_FOOTER])
    sheet.protect()

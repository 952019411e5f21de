"""Small charts as SVG inside a page: no script, no request, colours from the page's style sheet.

Every text goes through `Markup.format`, which escapes it. Classes `s0` to `s4` are colours of series; shapes
differ too, so that the charts can be read without colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

_WIDTH = 640
_LABEL = 190
_ROW = 26
_FOOT = 24
_NUMBER = 64
_HEIGHT = 200
_LEFT = 48
_SERIES = 5
_LEGEND_ROW = 18
_HEADROOM = 1.08
_LEAST_TOP = 0.25


@dataclass(frozen=True)
class Bar:
    """One bar or interval of a chart: its label, its figure, and the ends or the limit that belong to it."""

    label: str
    value: float | None
    low: float | None = None
    high: float | None = None
    marked: bool = False


def bars(title: str, rows: Sequence[Bar], worded: Callable[[float], str] = "{:.2f}".format) -> Markup:
    """Horizontal bars with the limit (`high`) of each as a tick; `marked` ones in the colour of alarms.

    The bars set the scale: a limit far above every bar has no tick, so that it does not flatten them all.
    """
    top = _HEADROOM * max([*(row.value or 0.0 for row in rows), _LEAST_TOP])
    reach = _WIDTH - _LABEL - _NUMBER
    parts = []
    for number, row in enumerate(rows):
        y, value = number * _ROW, row.value or 0.0
        parts.append(_label(row.label, y))
        parts.append(
            Markup('<rect class="{}" x="{}" y="{}" width="{:.1f}" height="14"/>').format(
                "alarm" if row.marked else "s0", _LABEL, y + 6, max(1.0, value / top * reach)
            )
        )
        if row.high is not None and row.high <= top:
            x = _LABEL + row.high / top * reach
            parts.append(_line("limit", x, y + 2, x, y + 24))
        parts.append(_text("number", _WIDTH, y + 18, worded(value), "end"))
    return _svg(title, len(rows) * _ROW + 4, parts)


def intervals(title: str, rows: Sequence[Bar], *, reference: float) -> Markup:
    """Points with their intervals on a logarithmic scale, and a line at `reference`."""
    ends = [end for row in rows for end in (row.value, row.low, row.high) if end and math.isfinite(end)]
    low, high = min([*ends, reference / 2]), max([*ends, reference * 2])
    low, high = max(low, reference / 20), min(high, reference * 20)
    place = _log_scale(low, high, _LABEL, _WIDTH - _NUMBER)
    height = len(rows) * _ROW
    parts = [_line("reference", place(reference), 0, place(reference), height)]
    for number, row in enumerate(rows):
        y = number * _ROW + 13
        parts.append(_label(row.label, number * _ROW))
        ends_of = (low if row.low is None else row.low, high if row.high is None else row.high)
        colour = "alarm" if row.marked else "s0"
        parts.append(_line(f"whisker {colour}", place(ends_of[0]), y, place(ends_of[1]), y))
        if row.value is not None:
            parts.append(_dot(colour, place(row.value), y, 0))
            parts.append(_text("number", _WIDTH, y + 5, f"{row.value:.2f}", "end"))
    for tick in (reference * factor for factor in (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)):
        if low <= tick <= high:
            parts.append(_text("tick", place(tick), height + 16, f"{tick:g}", "middle"))
    return _svg(title, height + _FOOT, parts)


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 or share == 0.0 else f"{share:.1%}"


def lines(
    title: str,
    places: Sequence[str],
    series: Mapping[str, Sequence[float | None]],
    worded: Callable[[float], str] = _percent,
    marked: tuple[int, str] | None = None,
) -> Markup:
    """A line a series over `places` (days, weeks, capacities), from zero up; gaps stay gaps.

    Figures are shares, in per cent, unless `worded` puts them otherwise. `marked` is the number of a place
    that is marked, and the word beside the mark.
    """
    largest = max([value for values in series.values() for value in values if value is not None] + [0.01])
    top = _HEADROOM * largest
    step = (_WIDTH - _LEFT - 16) / max(1, len(places) - 1)

    def at(number: int, value: float) -> tuple[float, float]:
        return _LEFT + number * step, _HEIGHT - value / top * (_HEIGHT - 10)

    parts = []
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        y = at(0, share * largest)[1]
        parts.append(_line("grid", _LEFT, y, _WIDTH, y))
        parts.append(_text("tick", _LEFT - 6, y + 4, worded(share * largest), "end"))
    for number in sorted({0, len(places) // 2, len(places) - 1}):
        if places:
            anchor = "middle" if 0 < number < len(places) - 1 else ("start" if number == 0 else "end")
            parts.append(_text("tick", at(number, 0.0)[0], _HEIGHT + 16, places[number], anchor))
    if marked is not None:
        x, y = at(marked[0], top)
        parts.append(_line("reference", x, y, x, _HEIGHT))
        left = marked[0] <= len(places) // 2
        parts.append(_text("tick", x + (4 if left else -4), y + 10, marked[1], "start" if left else "end"))
    for index, (name, values) in enumerate(series.items()):
        known = [at(number, value) for number, value in enumerate(values) if value is not None]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in known)
        colour = f"s{index % _SERIES}"
        parts.append(Markup('<polyline class="{} {}" points="{}"/>').format("line", colour, points))
        parts += [_dot(colour, x, y, index) for x, y in known]
        y = _HEIGHT + _FOOT + _LEGEND_ROW * index + 12
        parts.append(_dot(colour, _LEFT + 6, y - 4, index))
        parts.append(_text("legend", _LEFT + 18, y, name, "start"))
    return _svg(title, _HEIGHT + _FOOT + _LEGEND_ROW * len(series) + 6, parts)


def _log_scale(low: float, high: float, left: float, right: float) -> Callable[[float], float]:
    span = math.log(high / low)

    def place(value: float) -> float:
        kept = min(max(value, low), high)
        return left + math.log(kept / low) / span * (right - left)

    return place


def _svg(title: str, height: float, parts: Sequence[Markup]) -> Markup:
    head = Markup(
        '<svg viewBox="0 0 {} {:.0f}" role="img" xmlns="http://www.w3.org/2000/svg"><title>{}</title>'
    ).format(_WIDTH, height, title)
    return head + Markup("").join(parts) + Markup("</svg>")


def _label(text: str, y: float) -> Markup:
    return _text("label", _LABEL - 8, y + 18, text, "end")


def _text(kind: str, x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(
        kind, x, y, anchor, text
    )


def _line(kind: str, x: float, y: float, x_to: float, y_to: float) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(
        kind, x, y, x_to, y_to
    )


def _dot(colour: str, x: float, y: float, shape: int) -> Markup:
    """A circle, square, diamond, triangle or ring."""
    if shape % _SERIES == 0 or shape % _SERIES == 4:
        ring = " ring" if shape % _SERIES else ""
        return Markup('<circle class="dot {}{}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(colour, ring, x, y)
    corners = {
        1: ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        2: ((0, -5), (5, 0), (0, 5), (-5, 0)),
        3: ((0, -5), (5, 4), (-5, 4)),
    }[shape % _SERIES]
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return Markup('<polygon class="dot {}" points="{}"/>').format(colour, points)

"""A table in plain text: aligned also where Chinese characters take two cells, and readable in a log."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

_GAP = "  "


def text_table(rows: Sequence[Sequence[str]], *, heads: int = 1, lefts: int = 1) -> list[str]:
    """The rows as lines, with a rule below the first `heads` of them.

    The first `lefts` columns stand at their left edge, the others, which are figures, at their right one.

    >>> for line in text_table([["risk", "found"], ["food", "12"], ["价格", "3"]]):
    ...     print(line)
    risk  found
    ───────────
    food     12
    价格      3
    """
    widths = [max(cell_len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        _GAP.join(
            text + blank if column < lefts else blank + text
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
            for blank in [" " * (width - cell_len(text))]
        ).rstrip()
        for row in rows
    ]
    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    return [*lines[:heads], rule, *lines[heads:]]


def cut_to_width(text: str, width: int) -> str:
    """The text in at most `width` cells of a terminal, with an ellipsis where something is left out.

    >>> cut_to_width("儿童玩具 toy", 7), cut_to_width("toy", 7)
    ('儿童玩…', 'toy')
    """
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipelines.pages.text_table import cut_to_width, text_table

TEXTS = st.text(st.sampled_from("ab1 价格玩具"), max_size=12)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_figures_end_in_one_column_whatever_stands_before_them(rows: list[tuple[str, str, str]]) -> None:
    marked = [(first, second, third + "|") for first, second, third in rows]
    lines = text_table(marked)
    assert len({cell_len(line) for line in [lines[0], *lines[2:]]}) == 1
    assert set(lines[1]) == {"─"}
    assert cell_len(lines[1]) == cell_len(lines[0])


def test_several_heads_stand_above_the_rule() -> None:
    assert text_table([["", "lists"], ["", "find"], ["x", "1"]], heads=2) == [
        "   lists",
        "    find",
        "────────",
        "x      1",
    ]


@given(TEXTS, st.integers(2, 12))
def test_a_cut_to_width_text_fits(text: str, width: int) -> None:
    short = cut_to_width(text, width)
    assert cell_len(short) <= width
    assert short == text or short.endswith("…")

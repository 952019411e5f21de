"""What words mean as an inspection's result: on a list, in what comes back, in a mapping."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal, TypeVar, get_args

from configs.language import language
from configs.language_codes import LANGUAGES

_Choice = TypeVar("_Choice", bound=str)
ResultValue = Literal["found", "nothing", "not_examined", "sent"]
RESULT_VALUES: tuple[ResultValue, ...] = get_args(ResultValue)
RESULT_WORDS: dict[ResultValue, str] = {
    "found": "found",
    "nothing": "nothing found",
    "not_examined": "not examined",
    "sent": "sent to the laboratory",
}
"""What an inspector chooses from, by what it means."""
RESULT_LABELS: dict[ResultValue, bool | None] = {
    "found": True,
    "nothing": False,
    "not_examined": None,
    "sent": None,
}
"""The contract's label of a risk with this result."""
FOUND_HOW = {
    "under_invoiced": "invoiced too low",
    "heading": "another heading",
    "quantity": "another quantity",
    "split": "split into several parcels",
    "hidden": "hidden",
    "mislabelled": "mislabelled",
    "origin": "another origin",
    "other": "other",
}
"""How goods were hidden or misdeclared: values of the contract, and what an inspector chooses from."""
NOT_OPENED = {
    "released": "released already",
    "not_found": "parcel not found",
    "no_time": "no time",
    "other": "other",
}
"""Why a listed parcel was not opened."""
FALSE_WORDS = ("0", "no", "n", "false", "negative", "none")
"""What means false in a column of a foreign table whose mapping does not list it."""
_FURTHER_WORDS: dict[str, ResultValue] = {
    "true": "found", "1": "found", "1.0": "found", "yes": "found", "y": "found", "finding": "found",
    "t": "found", "positive": "found", "confirmed": "found", "hit": "found",
    "是": "found", "有": "found", "发现": "found", "查获": "found", "真": "found", "异常": "found",
    "有异常": "found", "发现问题": "found", "查发异常": "found", "查发": "found", "有问题": "found",
    "不合格": "found", "阳性": "found",
    # In the column of a risk a tick says yes: it is there.
    "√": "found", "✓": "found", "✔": "found", "☑": "found",
    "×": "nothing", "✕": "nothing", "✖": "nothing", "✗": "nothing", "✘": "nothing",
    "false": "nothing", "0": "nothing", "0.0": "nothing", "no": "nothing", "n": "nothing",
    "f": "nothing", "none found": "nothing", "not found": "nothing", "negative": "nothing",
    "no finding": "nothing", "clean": "nothing", "clear": "nothing",
    "ok": "nothing", "nothing": "nothing", "normal": "nothing",
    "否": "nothing", "无": "nothing", "没有": "nothing", "未发现": "nothing", "假": "nothing",
    "未发现问题": "nothing",
    "无异常": "nothing", "未见异常": "nothing", "未发现异常": "nothing", "没有异常": "nothing",
    "正常": "nothing", "合格": "nothing", "无问题": "nothing", "没问题": "nothing", "未查发": "nothing",
    "未查获": "nothing", "阴性": "nothing",
    "not opened": "not_examined",
    "not examined": "not_examined", "not inspected": "not_examined", "not checked": "not_examined",
    "n/a": "not_examined", "na": "not_examined", "-": "not_examined",
    "未查验": "not_examined", "未检查": "not_examined", "未开箱": "not_examined", "未查": "not_examined",
    "没查": "not_examined", "没有查": "not_examined", "没检查": "not_examined", "该项未查": "not_examined",
    "未检": "not_examined", "—": "not_examined",
    "sent": "sent", "sent to laboratory": "sent", "sent to lab": "sent", "sent to the lab": "sent",
    "at the laboratory": "sent", "laboratory": "sent", "送检": "sent", "已送检": "sent", "取样送检": "sent",
    "送实验室": "sent", "取样送实验室": "sent", "待检": "sent", "化验": "sent", "送化验": "sent",
}  # fmt: skip


def choice_of(words: str, choices: Mapping[str, str], overlay: Path | None = None) -> str | None:
    """Return which of `choices` (values, and their words in English) someone meant; None if empty.

    Raises:
        ValueError: the words are none of them, in any language of the documents.

    >>> [choice_of(words, NOT_OPENED) for words in ("No time", "已放行", "not_found", " ")]
    ['no_time', 'released', 'not_found', None]
    """
    plain = _plain(unicodedata.normalize("NFKC", words))
    if not plain:
        return None
    offered = _offered(choices, overlay)
    meaning = offered.get(plain) or (plain if plain in choices else None)
    if meaning is None:
        raise ValueError(f"expected one of {', '.join(map(repr, choices.values()))}, came {words[:40]!r}")
    return meaning


@lru_cache(maxsize=1024)
def result_of(words: str, overlay: Path | None = None) -> ResultValue | None:
    """Return what someone meant by the words of a result, in any language of the documents; None if empty.

    Args:
        words: as they came, in any case and width.
        overlay: the user's folder of the configuration, whose catalogues count too.

    Raises:
        ValueError: the words mean no result.

    >>> [result_of(words) for words in ("nothing  found", "TRUE", "ＹＥＳ", "未发现", "Not_checked", "")]
    ['nothing', 'found', 'found', 'nothing', 'not_examined', None]
    """
    plain = _plain(unicodedata.normalize("NFKC", words))
    if not plain:
        return None
    offered = _offered(RESULT_WORDS, overlay) | {value: value for value in RESULT_VALUES}
    meaning = offered.get(plain) or _FURTHER_WORDS.get(_plain(plain.replace("_", " ")))
    if meaning is None:
        raise ValueError(f"expected one of {', '.join(map(repr, RESULT_WORDS.values()))}, came {words!r}")
    return meaning


def _offered(choices: Mapping[_Choice, str], overlay: Path | None) -> dict[str, _Choice]:
    """The value of each of the words, in every language of the documents."""
    languages = [language(code, overlay) for code in LANGUAGES]
    return {_plain(spoken(word)): value for spoken in languages for value, word in choices.items()}


def _plain(words: str) -> str:
    return " ".join(words.split()).casefold()

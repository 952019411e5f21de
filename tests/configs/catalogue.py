"""Every message that documents can say, in English, gathered from where it stands."""

from __future__ import annotations

import io
import re
from functools import cache
from pathlib import Path

from babel.messages.extract import extract
from jinja2.ext import babel_extract

from configs.language_codes import LANGUAGES
from configs.loader import load_settings
from configs.parcel_ways import WAY_WORDS
from configs.reference.facts import load_table
from features.assemble import found_blocks
from features.contract.declarations import DIRECTIONS
from features.contract.inspections import SELECTIONS
from features.contract.result_words import FOUND_HOW, NOT_OPENED, RESULT_WORDS
from features.words import finding_teller, notices, reasons
from features.words.finding_figures import FORMS
from features.words.reference_price import SOURCES
from models.judging.gate import DOUBTS
from models.watch.monitoring import LEVELS
from models.watch.risk_results import ALL_SHARES, RANDOM_SHARE
from pipelines.cases import told
from pipelines.feedback import to_correct
from pipelines.feedback.report import OUTCOME_WORDS
from pipelines.ingest.tables.workbook_cells import AS_XLSX
from pipelines.lists import fields as return_fields
from pipelines.lists import html as report_html
from pipelines.lists import xlsx, xlsx_columns
from pipelines.lists.parcel import CHOSEN, WAYS
from pipelines.monitoring.days import NEWCOMERS
from pipelines.monitoring.page import DRAWN, MEANING
from pipelines.reporting.entries import STATES
from pipelines.reporting.page import NO_WHY
from pipelines.statistics.documents import wording as statistics_words
from tests.places import ROOT

_PACKAGES = ("configs", "features", "models", "pipelines")
_SAYING = dict.fromkeys(("words", "language", "self", "Message", "of_office"))
"""Names under which code has a language that it says something in."""
_SAYS = re.compile(rf"\b(?:{'|'.join(_SAYING)})\(\s*\"".encode())


@cache
def messages() -> frozenset[str]:
    """Messages of the code, of the page, and of the packaged configuration."""
    found = _of_code() | _of_pages() | _of_configuration()
    for words in (
        CHOSEN, WAYS, report_html.SORT_KEYS, RESULT_WORDS, FOUND_HOW, NOT_OPENED, xlsx_columns.HELP,
        statistics_words.HEADINGS, statistics_words.BY, statistics_words.SECTIONS,
        statistics_words.STATUS_WORDS, statistics_words.UNVALUED_WORDS,
        to_correct.KINDS, *WAY_WORDS.values(), DOUBTS, MEANING, told.NAMES, told.LEVELS,
        finding_teller.FINDINGS, finding_teller.NOTES,
    ):  # fmt: skip
        found |= set(words.values())
    found |= {field.heading for field in return_fields.FIELDS if field.heading}
    found |= {text for topic in xlsx.HOW_TO_READ.items() for text in topic}
    found |= {words for source in SOURCES.values() for words in source.words}
    found |= {unit for _, unit in (*statistics_words.UNITS, *statistics_words.CHINESE_UNITS)}
    found |= {text for texts in (*FORMS.values(), *notices.KINDS.values()) for text in texts}
    found |= {*statistics_words.NOTES, statistics_words.SUPPRESSED_NOTE, statistics_words.HIDDEN}
    return frozenset(found) | {
        AS_XLSX, NO_WHY, DRAWN, to_correct.WHAT_TO_CORRECT,
        return_fields.GUIDE_TITLE, return_fields.PRINT_TITLE, return_fields.RESULT_HEADING,
        reasons.NOTHING_STANDS_OUT,
        reasons.ONE_WAS_DRAWN, reasons.SEVERAL_WERE_DRAWN,
    }  # fmt: skip


def names() -> dict[str, set[str]]:
    """Names that people know otherwise, by the context that a catalogue has them under."""
    bans = load_table("banned_origins")
    return {
        "outcome": set(OUTCOME_WORDS.values()), "channel": set(SELECTIONS), "state": set(STATES),
        "level": set(LEVELS), "block": set(found_blocks()), "newcomers": set(NEWCOMERS.values()),
        "direction": set(DIRECTIONS), "mode": {"mail", "express", "other"},
        "issuer": set(notices.ISSUERS), "notice": set(notices.WHOLE_NOTICES),
        "event": {"declaration", "release"}, "ban": {*bans["goods"], *bans["cause"]},
        "share": {RANDOM_SHARE, ALL_SHARES}, "quantity": {"precision", "recall"},
        "check": {
            "feature drift", "score drift", "calibration", "lift", "hit rate", "label delay", "newcomers",
        },
    }  # fmt: skip


def _of_code() -> set[str]:
    found: set[str] = set()
    for package in _PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            content = path.read_bytes()
            if _SAYS.search(content):
                said = extract("python", io.BytesIO(content), _SAYING)
                found |= {str(each[1]) for each in said}
    return found - set(LANGUAGES)


def templates() -> list[Path]:
    """All templates of pages."""
    return sorted(path for package in _PACKAGES for path in (ROOT / package).rglob("*.j2"))


def _of_pages() -> set[str]:
    found: set[str] = set()
    for path in templates():
        for _, _, said, _ in babel_extract(io.BytesIO(path.read_bytes()), ("_", "of_way"), (), {}):
            found |= {each for each in (said if isinstance(said, tuple) else (said,))[:1] if each}
    return found


def _of_configuration() -> set[str]:
    found: set[str] = set()
    for risk in load_settings().risks.values():
        found |= {risk.title.en, risk.fallback_reason, *risk.look_for}
        found |= {template.text for templates in risk.reasons.values() for template in templates}
    return found

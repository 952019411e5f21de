"""What checks found, as a list tells it: in a sentence, with figures, and by which rule since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from configs.language import Language
from configs.reference.table_names import NO_NAMES, TableNames
from configs.schema.checks import LAW_CHECKS
from features.text.visible import visible_text
from features.words.finding_figures import figures_in_words
from features.words.notices import notice_in_words

FINDINGS: Final = {
    "payment_reused": "the payment of this order stands in another order too",
    "waybill_reused": "the waybill of this parcel stands in another inventory too",
    "buyer": "paid, ordered and declared by different persons: the identity numbers of order, payment and "
    "inventory are not one",
    "amount": "the amounts of order, payment and inventory do not agree",
    "goods": "the goods of the inventory are not those of its order: item number, quantity or price differ",
    "weight": "the waybill and the inventory state different weights",
    "consignee": "order, waybill and inventory name different addresses",
    "paid_late": "paid only after the day of its declaration",
    "order_missing": "no order has come for this parcel",
    "payment_missing": "no payment has come for this parcel",
    "waybill_missing": "no waybill has come for this parcel",
    "return_unknown": "goods are to go back that this inventory never declared",
    "return_exceeds": "more of these goods is to go back than was bought and not returned before",
    "return_late": "the return was applied for after its period had ended",
    "mode_not_open": "its trade mode was not open on that day, or not at this office",
    "order_limit": "worth more than a parcel of retail imports may be on that day",
    "yearly_allowance": "with this parcel its {buyer} is above the allowance of the year",
    "articles_limit": "worth more than personal articles may be in one parcel, and more than one article",
    "not_listed": "this heading is not on the positive list of that day, or not for its trade mode",
    "quantity_limit": "more than the positive list allows a person in a year",
    "banned_goods": "goods of this heading from this origin were banned on that day, at all or by post",
    "prohibited_article": "goods that nobody may carry or post into the country",
}
"""What checks find, those of documents in the words of the reasons."""
NOTES: Final = {
    "return_late": "exported goods come back after the period in which they are free of duty",
    "order_limit": "worth more than a parcel of retail imports may be: a single article, at full tax",
    "banned_goods": "goods of this heading come in from some zones of this origin alone: see the certificate",
    "prohibited_article": "goods that nobody may carry or post; what enters under bond goes by other rules",
}
"""What a check says where its outcome is a note: allowed, with a consequence."""
FAILED: Final = "failed"
_TEXT: Final = 160
_MOST_LINES: Final = 5


@dataclass(frozen=True)
class FindingTeller:
    """How findings are told: rows of the tables of findings, each by column.

    Attributes:
        words: the language, in the words of the parcel's way.
        names: of countries, units and goods in it.
    """

    words: Language
    names: TableNames = NO_NAMES

    def sentence(self, finding: Mapping[str, Any]) -> str:
        """What was found; a check of a user's own has its name."""
        check = finding["check"]
        said = NOTES.get(check) if finding["outcome"] == "note" else None
        said = said or FINDINGS.get(check)
        return self.words(said) if said else check.replace("_", " ")

    def line(self, finding: Mapping[str, Any]) -> str:
        """The line that it is about, empty for the whole parcel."""
        return "" if finding["line_no"] is None else self.words("line {line}", line=finding["line_no"])

    def figures(self, finding: Mapping[str, Any]) -> str:
        """What was found and what was expected, empty where the check does not say."""
        if not finding["found"]:
            return ""
        return self.words(
            "{found}; expected: {expected}",
            **{name: self._figures(finding["check"], finding[name]) for name in ("found", "expected")},
        )

    def source(self, finding: Mapping[str, Any]) -> str:
        """The notice, and the day since which it holds; empty where no rule of a table is behind it."""
        # Cases that were kept before rules stood in them do not say since when.
        since = finding.get("valid_from")
        if since is None and finding["check"] not in LAW_CHECKS:
            return ""
        notice = visible_text(notice_in_words(finding["basis"] or "", self.words), _TEXT, self.words)
        if since is None:
            return notice
        return self.words("{notice}, in force from {day}", notice=notice, day=since.isoformat())

    def verdicts(self, findings: Iterable[Mapping[str, Any]]) -> list[str]:
        """What the law says of a parcel, in one sentence a check and outcome: what failed comes first."""
        told = [each for each in findings if each["check"] in LAW_CHECKS]
        together: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for each in sorted(told, key=_place):
            together.setdefault((each["check"], each["outcome"]), []).append(each)
        return [self._verdict(*each) for each in together.values()]

    def _verdict(self, first: Mapping[str, Any], *others: Mapping[str, Any]) -> str:
        """The sentence, its rule, and the figures of the first line; they come last, as they may be long."""
        words = self.words
        source = self.source(first)
        law = words("law: {finding}", finding=self.sentence(first))
        law = words("{text} ({aside})", text=law, aside=source) if source else law
        figures = words(", ").join(filter(None, (self.line(first), self.figures(first))))
        if others:
            lines = words.listed((str(each["line_no"]) for each in others), _MOST_LINES)
            figures = words("{figures} (also line {lines})", figures=figures, lines=lines)
        return law + words(": ") + figures if figures else law

    def _figures(self, check: str, text: str | None) -> str:
        said = figures_in_words(check, text or "", self.words, self.names)
        return visible_text(said, _TEXT, self.words)


def _place(finding: Mapping[str, Any]) -> tuple[bool, int, str, int]:
    check = LAW_CHECKS.index(finding["check"])
    return finding["outcome"] != FAILED, check, finding["outcome"], finding["line_no"] or 0

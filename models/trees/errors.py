"""What can go wrong between a feature frame and a model, in words that name the difference."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from configs.errors import DataError


class TooFewFindings(DataError):  # noqa: N818 - reads as the condition it reports
    """A risk has too few findings to learn from; other risks can go on."""

    def __init__(self, risk: str, label: str, findings: int, lines: int, needed: int) -> None:
        super().__init__(
            f"risk '{risk}' was not trained: {findings} findings among {lines} inspected lines with a known "
            f"'{label}', at least {needed} are needed (training.min_findings). Ingest more inspection "
            f"results, or train until a later date."
        )


class FeatureColumnsError(DataError):
    """A feature frame lacks columns, or holds them in another type, than the model was fitted on."""

    def __init__(
        self, model: str, missing: Sequence[str], wrong_type: Sequence[str], given: Sequence[str]
    ) -> None:
        parts = [f"the frame does not fit model '{model}'"]
        if missing:
            shown = [_with_nearest(name, given) for name in missing[:5]]
            parts.append(f"{len(missing)} fitted columns are missing: {_bounded(shown, len(missing))}")
        if wrong_type:
            parts.append(f"columns of another type: {_bounded(list(wrong_type[:5]), len(wrong_type))}")
        parts.append("build the frame with features.assemble from the same configuration, or train anew")
        super().__init__("; ".join(parts) + ".")


def _with_nearest(name: str, given: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, given, n=1)
    return f"{name} (given: {nearest[0]})" if nearest else name


def _bounded(shown: list[str], total: int) -> str:
    return ", ".join(shown) + (f" and {total - len(shown)} more" if total > len(shown) else "")

"""What is logged names nobody, and numbers that only look like an identity stay legible."""

from __future__ import annotations

import pytest

from pipelines.privacy.log_masking import mask_identity


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("holder 11010519491231002X", "holder [masked]"),
        ("holder 11010519491231002x.", "holder [masked]."),
        ("call 13800138000 or +86 13912345678", "call [masked] or [masked]"),
        ("身份证11010519491231002X号", "身份证[masked]号"),
        ("inventory 310120261120000001", "inventory 310120261120000001"),
        ("110105194912310021 has a wrong check character", "110105194912310021 has a wrong check character"),
        ("hash 13800138000abcdef and 0.13800138000", "hash 13800138000abcdef and 0.13800138000"),
        ("20,000,000 lines", "20,000,000 lines"),
    ],
)
def test_identity_and_mobile_numbers_are_masked(text: str, masked: str) -> None:
    assert mask_identity(text) == masked

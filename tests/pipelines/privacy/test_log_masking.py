"""What is logged names nobody, and numbers that only look like an identity stay legible."""

from __future__ import annotations

import pytest

from pipelines.privacy.log_masking import mask_identity, mask_texts, masked_line


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


def test_a_password_that_another_program_quotes_is_not_logged() -> None:
    said = "API request to http://ana:s3cret@host:5000/api failed (postgresql://host/db?password=s3cret&x=1)"
    wanted = "API request to http://host:5000/api failed (postgresql://host/db?password=***&x=1)"
    assert masked_line(said) == wanted
    assert mask_texts({"error": [said]}) == {"error": [wanted]}

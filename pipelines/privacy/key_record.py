"""What a store remembers of the key of its pseudonyms: enough to know it again, not to guess it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

# 16 MB and some 50 ms a guess (RFC 7914). A key of 16 characters that is no phrase stands that for ever.
_COST: Final = 2**14
_BLOCK: Final = 8
_CHECK_BYTES: Final = 32
_SALT_BYTES: Final = 16
# An earlier key: its length, and up to 64 bytes.
_SLOT_BYTES: Final = 65
_PLAIN: Final = "without punctuation"


@dataclass(frozen=True)
class KeyRecord:
    """A fingerprint of the key, and the keys before it, which only it opens.

    >>> record = KeyRecord.of(b"a key", [b"the one before"])
    >>> record.opened_by(b"a key"), record.opened_by(b"another")
    ([b'the one before'], None)
    >>> KeyRecord.read(record.as_dict()) == record
    True

    Attributes:
        salt: hexadecimal digits, other ones in every store.
        check: what the key and the salt give.
        earlier: the keys before it, oldest first, encrypted.
        cost: how often scrypt works on a guess.
        plain_addresses: whether addresses were hashed without their punctuation; not so by earlier versions.
    """

    salt: str
    check: str
    earlier: tuple[str, ...] = ()
    cost: int = field(default=_COST)
    plain_addresses: bool = True

    @classmethod
    def of(cls, key: bytes, earlier: Sequence[bytes] = (), *, plain_addresses: bool = True) -> Self:
        """Return the record of a key that follows on others."""
        salt = secrets.token_bytes(_SALT_BYTES)
        check, pads = _derived(key, salt, _COST, len(earlier))
        slots = [bytes([len(old)]) + old.ljust(_SLOT_BYTES - 1, b"\0") for old in earlier]
        hidden = [_mixed(slot, pad).hex() for slot, pad in zip(slots, pads, strict=True)]
        return cls(salt.hex(), check.hex(), tuple(hidden), plain_addresses=plain_addresses)

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> Self:
        """Return the record of what `as_dict` gave."""
        return cls(
            content["salt"],
            content["check"],
            tuple(content.get("earlier", ())),
            content["scrypt"],
            content.get("addresses") == _PLAIN,
        )

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for the store's description."""
        content: dict[str, Any] = {"scrypt": self.cost, "salt": self.salt, "check": self.check}
        content |= {"earlier": list(self.earlier)} if self.earlier else {}
        return content | ({"addresses": _PLAIN} if self.plain_addresses else {})

    def opened_by(self, key: bytes) -> list[bytes] | None:
        """Return the keys before this one, oldest first; None where it is another key."""
        check, pads = _derived(key, bytes.fromhex(self.salt), self.cost, len(self.earlier))
        if not hmac.compare_digest(check.hex(), self.check):
            return None
        slots = [_mixed(bytes.fromhex(hidden), pad) for hidden, pad in zip(self.earlier, pads, strict=True)]
        return [slot[1 : 1 + slot[0]] for slot in slots]


def _derived(key: bytes, salt: bytes, cost: int, slots: int) -> tuple[bytes, list[bytes]]:
    length = _CHECK_BYTES + slots * _SLOT_BYTES
    most = 2 * 128 * _BLOCK * cost
    secret = hashlib.scrypt(key, salt=salt, n=cost, r=_BLOCK, p=1, maxmem=most, dklen=length)
    firsts = range(_CHECK_BYTES, length, _SLOT_BYTES)
    return secret[:_CHECK_BYTES], [secret[first : first + _SLOT_BYTES] for first in firsts]


def _mixed(data: bytes, pad: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(data, pad, strict=True))

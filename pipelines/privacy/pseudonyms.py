"""Keyed hashes in the place of personal data: the raw value never goes further than here."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from configs.errors import ConfigurationError
from configs.schema.pipeline import PseudonymsConfig
from pipelines.privacy.key_record import KeyRecord
from pipelines.privacy.key_strength import FEWEST_CHARS, weakness

KEY_VARIABLE = "PARCEL_RISK_PSEUDONYM_KEY"
_DIGEST_BYTES = 16
_RENEWED = b"renewed"
# Stands between the parts of a key. It cannot come from a value: see `hash_key`.
_SEPARATOR = "\x1f"
_ADVICE = (
    f"Set the environment variable {KEY_VARIABLE}, or name in pipeline.yaml under pseudonyms.key_file "
    "a file outside the repository that only its owner can read. The key must stay the same from day to day: "
    "with another key every buyer and address is a new one."
)


class Pseudonymiser:
    """Turns identity numbers, names, telephones and addresses into keyed BLAKE2b hashes (RFC 7693).

    The same value, field and key always give the same 32 hexadecimal digits; another field gives others, so
    that a telephone number does not meet an order number that looks like it. Without the key nobody can try
    out identity numbers until one fits.

    >>> names = Pseudonymiser.from_key(b"an example, not a secret")
    >>> names.hash_value(" ab 12 ", "buyer_id") == names.hash_value("AB12", "buyer_id")
    True
    >>> names.hash_value("AB12", "buyer_id") == names.hash_value("AB12", "address_id")
    False
    >>> names.hash(pl.Series(["x", "  ", None]), "buyer_id").null_count()
    2
    >>> names
    Pseudonymiser(key=<hidden>)
    """

    __slots__ = ("_keys", "_plain_addresses", "used")

    def __init__(self, key: bytes, earlier: Sequence[bytes] = (), *, plain_addresses: bool = True) -> None:
        # BLAKE2b takes at most 64 bytes of key; a longer one is condensed instead of cut off.
        condensed = key if len(key) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.blake2b(key).digest()
        self._keys = (*earlier, condensed)
        self._plain_addresses = plain_addresses
        self.used = False
        """Whether anything was hashed."""

    @classmethod
    def from_key(cls, key: bytes) -> Pseudonymiser:
        """Return a pseudonymiser with this key.

        Raises:
            ConfigurationError: the key has fewer than 16 bytes.
        """
        return cls(_checked(key.strip(), "the key that was given", weak_is_allowed=True))

    @classmethod
    def from_environment(cls, config: PseudonymsConfig, *, weak_is_allowed: bool = False) -> Pseudonymiser:
        """Return a pseudonymiser with the key of the environment, else that of the configured key file.

        `weak_is_allowed` is for the key that a store leaves.

        Raises:
            ConfigurationError: there is no key, it is short or soon guessed, or the key file can be read by
                others, is in a git checkout (but for its git-ignored folder `demo/`) or cannot be read.
        """
        from_variable = os.environ.get(KEY_VARIABLE, "").strip()
        if from_variable:
            return cls.from_variable(from_variable, KEY_VARIABLE, weak_is_allowed=weak_is_allowed)
        if not config.key_file:
            raise ConfigurationError(f"There is no key for the pseudonyms of buyers and addresses. {_ADVICE}")
        path = Path(config.key_file).expanduser()
        return cls(_checked(_read_key_file(path), f"the key file {path}", weak_is_allowed=weak_is_allowed))

    @classmethod
    def from_variable(cls, key: str, name: str, *, weak_is_allowed: bool = False) -> Pseudonymiser:
        """Return a pseudonymiser with the key that a variable of the environment, by its name, holds.

        Raises:
            ConfigurationError: the key is short or soon guessed.
        """
        origin = f"the environment variable {name}"
        return cls(_checked(key.strip().encode(), origin, weak_is_allowed=weak_is_allowed))

    def of_store(self, record: KeyRecord) -> Pseudonymiser:
        """Return the pseudonymiser of a store that remembers its key, and the keys before it, in `record`.

        Raises:
            ConfigurationError: the store was written with another key.
        """
        earlier = record.opened_by(self._keys[-1])
        if earlier is None:
            raise ConfigurationError(
                "The key of the pseudonyms is not the one that this store was written with: with another key "
                "every buyer and address would be a new one, without a history. Set the store's "
                f"key ({KEY_VARIABLE}, or pseudonyms.key_file in pipeline.yaml), or take another store; to "
                "change the key of a store, run `parcel-risk rekey`"
            )
        return Pseudonymiser(self._keys[-1], earlier, plain_addresses=record.plain_addresses)

    def record(self) -> KeyRecord:
        """Return what a store remembers of this key, with a salt of its own."""
        return KeyRecord.of(self._keys[-1], self._keys[:-1], plain_addresses=self._plain_addresses)

    def followed_by(self, new: Pseudonymiser) -> Pseudonymiser:
        """Return the pseudonymiser of a store whose pseudonyms were renewed with the key of `new`."""
        return Pseudonymiser(new._keys[-1], self._keys, plain_addresses=self._plain_addresses)

    def has_key_of(self, other: Pseudonymiser) -> bool:
        """Whether both have the same key."""
        return hmac.compare_digest(self._keys[-1], other._keys[-1])

    def renew(self, pseudonym: str, *, last: bool) -> str:
        """Return what became of a pseudonym of the store's first key; `last`: of the key before this one."""
        for key in self._keys[-1:] if last else self._keys[1:]:
            pseudonym = _keyed(pseudonym, key, _RENEWED)
        return pseudonym

    def __repr__(self) -> str:
        return "Pseudonymiser(key=<hidden>)"

    def hash(self, series: pl.Series, field: str) -> pl.Series:
        """Return the hashes of a column: String, same name and length, null where the value is null or empty.

        Values are compared as `normalise` leaves them. Each distinct value is hashed once.
        """
        texts = series.cast(pl.String)
        distinct = texts.unique().drop_nulls()
        hashes = pl.Series([self.hash_value(value, field) for value in distinct], dtype=pl.String)
        return texts.replace_strict(distinct, hashes, default=None, return_dtype=pl.String)

    def hash_value(self, value: str | None, field: str) -> str | None:
        """Return the hash of one value as `normalise` leaves it, None where nothing is left of it.

        Of an address, punctuation does not count either.
        """
        text = normalise(value or "")
        if field == "address_id" and self._plain_addresses:
            text = "".join(filter(_is_word, text))
        return self._digest(text, field) if text else None

    def hash_key(self, parts: Sequence[str | None], field: str) -> str | None:
        """Return the hash of a key of several parts, stripped of outer blanks; None where one is missing.

        Parts keep their case and inner blanks, which may be all that tells two documents of a company apart.
        """
        texts = [(part or "").strip().replace(_SEPARATOR, " ") for part in parts]
        return self._digest(_SEPARATOR.join(texts), field) if all(texts) else None

    def _digest(self, text: str, field: str) -> str:
        self.used = True
        person = field.encode()
        if len(person) > hashlib.blake2b.PERSON_SIZE:
            person = hashlib.blake2b(person, digest_size=hashlib.blake2b.PERSON_SIZE).digest()
        return self.renew(_keyed(text, self._keys[0], person), last=False)


def _keyed(text: str, key: bytes, person: bytes) -> str:
    data = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=_DIGEST_BYTES, key=key, person=person).hexdigest()


def normalise(value: str) -> str:
    """Return the value without blanks, in upper case and Unicode form NFKC (wide digits become plain ones).

    >>> normalise(" １３０681 x ")
    '130681X'
    """
    if value.isascii():
        return "".join(value.upper().split())
    # More than once: taking out a blank or changing case can leave letters that NFKC composes further, and
    # what is equal in the end must get one hash.
    while True:
        shorter = "".join(unicodedata.normalize("NFKC", value).upper().split())
        if shorter == value:
            return value
        value = shorter


@lru_cache(2**16)
def _is_word(character: str) -> bool:
    """Whether a character is no blank, punctuation, symbol or control character."""
    return unicodedata.category(character)[0] in "LMN"


def generate_key_file(path: Path) -> Path:
    """Write a new random key of 256 bits that only its owner can read, and return the path.

    Raises:
        ConfigurationError: the file exists. A new key would make every known buyer a stranger.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError(
            f"The key file {path} is there already and was left as it is: a new key would give every buyer "
            "and address another pseudonym. Use it, or choose another path."
        ) from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32) + "\n")
    return path


def _read_key_file(path: Path) -> bytes:
    if not path.exists():
        # Its name is not shown: whoever puts the key itself in its place would read it in every log.
        raise ConfigurationError(
            "The key file that pseudonyms.key_file names cannot be read (No such file or directory). "
            f"Expected the path of a file there, not the key itself. {_ADVICE}"
        )
    checkout = _checkout_around(path)
    if checkout is not None:
        raise ConfigurationError(
            f"The key file {path} lies inside the git checkout {checkout}, from where it could be committed. "
            "Move it to a place outside the repository and name that in pseudonyms.key_file."
        )
    try:
        with path.open("rb") as file:
            # Of the opened file, not of the path: between the two the path could come to mean another file.
            state = os.fstat(file.fileno())
            if not stat.S_ISREG(state.st_mode):
                raise ConfigurationError(f"The key file {path} is not a regular file. {_ADVICE}")
            if os.name == "posix" and state.st_mode & 0o077:
                mode = stat.S_IMODE(state.st_mode)
                raise ConfigurationError(
                    f"The key file {path} can be read or written by others than its owner (mode {mode:03o}, "
                    f"expected 600). Run: chmod 600 {path}"
                )
            return file.read().strip()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ConfigurationError(f"The key file {path} cannot be read ({reason}). {_ADVICE}") from error


def _checkout_around(path: Path) -> Path | None:
    """Return the git checkout that holds the file, but for the checkout's git-ignored folder `demo/`."""
    resolved = path.resolve()
    for folder in resolved.parents:
        if (folder / ".git").exists():
            return None if resolved.is_relative_to(folder / "demo") else folder
    return None


def _checked(key: bytes, origin: str, *, weak_is_allowed: bool) -> bytes:
    length = len(key.decode(errors="replace"))
    if length < FEWEST_CHARS:
        raise ConfigurationError(
            f"The key of the pseudonyms in {origin} has {length} characters; expected at least "
            f"{FEWEST_CHARS}. {_ADVICE}"
        )
    reason = None if weak_is_allowed else weakness(key.decode(errors="replace"))
    if reason is not None:
        raise ConfigurationError(
            f"The key of the pseudonyms in {origin} would soon be guessed: {reason}. Expected a random one: "
            "openssl rand -hex 32. A store that was written with it changes over by `parcel-risk rekey`"
        )
    return key

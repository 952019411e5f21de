"""What a feature block looks up in the history: the label of its risk, and which keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from features.history.keys import KeySpec


class KeyKind(Enum):
    """Keys that a block names by what they are, since their names are up to the configuration."""

    EVERY = "every key"
    PARTY = "every party"
    SAME_DAY = "every key with same_day"


@dataclass(frozen=True)
class Needs:
    """The declared needs of one block.

    Args:
        block: the block's name.
        label: whether its features depend on the label of the risk.
        keys: names and kinds of the keys of the history that it looks up. A configuration may lack a key.

    Raises:
        TypeError: a need is not of its type, or `keys` is a single text.
    """

    block: str
    label: bool = False
    keys: Sequence[str | KeyKind] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.label, bool):
            raise TypeError(f"label: expected True or False; came {self.label!r}")
        if not isinstance(self.keys, tuple) or not all(isinstance(key, (str, KeyKind)) for key in self.keys):
            raise TypeError(f"keys: expected a tuple of names and KeyKind; came {self.keys!r}")

    def include(self, spec: KeySpec) -> bool:
        """Whether a configured key is among the declared ones.

        >>> seller = KeySpec("seller", ("seller_id",), None, party=True)
        >>> [Needs("demo", keys=keys).include(seller) for keys in (("buyer",), (KeyKind.PARTY,))]
        [False, True]
        """
        return (
            spec.name in self.keys
            or KeyKind.EVERY in self.keys
            or (spec.party and KeyKind.PARTY in self.keys)
            or (spec.same_day and KeyKind.SAME_DAY in self.keys)
        )


NOTHING = Needs("none")

"""The objects behind `capacity.yaml`: how many parcels an office can open in a day."""

from __future__ import annotations

import math

from pydantic import Field

from configs.frozen import Code, Frozen


class OfficeCapacity(Frozen):
    """The capacity of one office: a number of parcels, or a share of the day's parcels with a minimum.

    >>> OfficeCapacity(share=0.005, minimum=10).places(20_000)
    100
    >>> OfficeCapacity(parcels=40).places(20_000)
    40
    """

    parcels: int | None = Field(None, ge=0)
    share: float = Field(0.005, ge=0.0, le=1.0)
    minimum: int = Field(10, ge=0)

    def places(self, parcels_of_office: int) -> int:
        """How many of the office's parcels of a day stand on its list, never more than there are."""
        wanted = self.parcels
        if wanted is None:
            # The tiny amount keeps 0.07 x 100 = 7.000000000000001 from becoming 8.
            wanted = max(self.minimum, math.ceil(self.share * parcels_of_office - 1e-9))
        return min(wanted, parcels_of_office)


class OfficeOverride(Frozen):
    """What one office does differently; a key that is left out is that of `default`."""

    parcels: int | None = Field(None, ge=0)
    share: float | None = Field(None, ge=0.0, le=1.0)
    minimum: int | None = Field(None, ge=0)


class CapsConfig(Frozen):
    """How much of a list may go to one party; null for no cap."""

    per_seller: float | None = Field(0.2, gt=0.0, le=1.0)


class CapacityConfig(Frozen):
    """All of `capacity.yaml`."""

    default: OfficeCapacity = OfficeCapacity()
    offices: dict[Code, OfficeOverride] = Field(default_factory=dict)
    random_share: float = Field(0.10, ge=0.0, le=1.0)
    seed: int = Field(11, ge=0, le=2**31 - 1)
    caps: CapsConfig = CapsConfig()

    def for_office(self, office: str) -> OfficeCapacity:
        """The capacity of `office`, with what it does not set taken from `default`.

        >>> CapacityConfig(offices={"4601": OfficeOverride(share=0.02)}).for_office("4601").places(1_000)
        20
        """
        override = self.offices.get(office)
        if override is None:
            return self.default
        given = override.model_dump(exclude_none=True)
        if "parcels" not in given and ("share" in given or "minimum" in given):
            # Whoever sets a share for an office means the share, also where the default is a number.
            given["parcels"] = None
        return self.default.model_copy(update=given)

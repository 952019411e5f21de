"""The objects behind `capacity.yaml`: how many parcels an office can open, and how a list is made up."""

from __future__ import annotations

import math
from datetime import date
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from configs.language_codes import LanguageCode
from configs.schema.checks import DOCUMENT_CHECKS, LAW_CHECKS
from configs.schema.frozen import Code, Frozen, Name, Share, Text

EXPORTS_LIST: Final = "exports"
"""What a list of exports goes by, beside the shifts of its office."""

Shifts = dict[Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_]*$", max_length=30)], int]
"""Shifts of a day in their order, each with its part of the places."""
Spoken = tuple[LanguageCode, tuple[tuple[str, LanguageCode], ...]]
"""The language of all documents, and pairs of an office and its own."""


def _check_shifts(shifts: Shifts) -> None:
    if shifts and (min(shifts.values()) < 0 or not sum(shifts.values())):
        raise ValueError(f"expected shifts with numbers of parcels from 0 up, at least one above 0: {shifts}")


class ListCapacity(Frozen):
    """The places of one list: a number of parcels, or a share of the day's parcels with a minimum.

    >>> ListCapacity(share=0.005, minimum=10).places(20_000)
    100
    >>> ListCapacity(parcels=40).places(20_000)
    40
    """

    parcels: int | None = Field(None, ge=0)
    share: float = Field(0.005, ge=0.0, le=1.0)
    minimum: int = Field(10, ge=0)

    def places(self, parcels_of_day: int) -> int:
        """How many of the day's parcels stand on the list, never more than there are."""
        wanted = self.parcels
        if wanted is None:
            # The tiny amount keeps 0.07 x 100 = 7.000000000000001 from becoming 8.
            wanted = max(self.minimum, math.ceil(self.share * parcels_of_day - 1e-9))
        return min(wanted, parcels_of_day)


class OfficeCapacity(ListCapacity):
    """The capacity of one office; with `exports` these have a list and places of their own beside it."""

    shifts: Shifts = Field(default_factory=dict)
    exports: ListCapacity | None = None

    @model_validator(mode="after")
    def _shifts_have_places(self) -> Self:
        _check_shifts(self.shifts)
        return self


class OfficeOverride(Frozen):
    """What one office does differently; a key that is left out is that of `default`.

    With `shifts` alone their sum is the number of parcels.
    """

    parcels: int | None = Field(None, ge=0)
    share: float | None = Field(None, ge=0.0, le=1.0)
    minimum: int | None = Field(None, ge=0)
    language: LanguageCode | None = None
    shifts: Shifts | None = None
    exports: ListCapacity | None = None

    @model_validator(mode="after")
    def _shifts_have_places(self) -> Self:
        _check_shifts(self.shifts or {})
        return self


class CapsConfig(Frozen):
    """Which share of the places that are given by risk one scheme may take, rounded up; null for no cap."""

    per_seller: float | None = Field(0.3, gt=0.0, le=1.0)
    per_address: float | None = Field(0.3, gt=0.0, le=1.0)
    per_goods: float | None = Field(0.3, gt=0.0, le=1.0)


class MustInspect(Frozen):
    """Parcels that are opened whatever their risk: all whose `column` is `value`, from a day on.

    In the column `check` stand the checks that the parcel failed (`parcel-risk check`).
    `kind` says who wants it: a `rule` of the service (a watch list), or a `referral` from outside.
    """

    column: Literal[
        "declaration_id",
        "waybill_id",
        "order_id",
        "seller_id",
        "buyer_id",
        "address_id",
        "agent_id",
        "platform_id",
        "check",
    ]
    value: Code
    kind: Literal["rule", "referral"] = "rule"
    reason: Text
    since: date
    until: date | None = None

    @model_validator(mode="after")
    def _check_is_known(self) -> Self:
        checks = (*DOCUMENT_CHECKS, *LAW_CHECKS)
        if self.column == "check" and self.value not in checks:
            raise ValueError(f"expected a check among {', '.join(checks)}; came {self.value!r}")
        return self

    @model_validator(mode="after")
    def _ends_after_it_began(self) -> Self:
        if self.until is not None and self.until < self.since:
            raise ValueError(f"until ({self.until}) is before since ({self.since})")
        return self

    def holds_on(self, day: date) -> bool:
        """Whether parcels declared on `day` are meant."""
        return self.since <= day and (self.until is None or day <= self.until)


class CapacityConfig(Frozen):
    """All of `capacity.yaml`."""

    default: OfficeCapacity = OfficeCapacity()
    offices: dict[Code, OfficeOverride] = Field(default_factory=dict)
    random_share: Share = 0.10
    exploration_share: Share = 0.05
    minimum_shares: dict[Name, Share] = Field(default_factory=dict)
    seed: int = Field(11, ge=0, le=2**31 - 1)
    caps: CapsConfig = CapsConfig()
    language: LanguageCode = "en"
    must_inspect: tuple[MustInspect, ...] = ()

    @model_validator(mode="after")
    def _exports_are_no_shift(self) -> Self:
        offices = {"default": self.default} | {name: self.for_office(name) for name in self.offices}
        for office, each in offices.items():
            if each.exports is not None and EXPORTS_LIST in each.shifts:
                raise ValueError(
                    f"{office}: expected a shift of another name than {EXPORTS_LIST!r}, which is that of its "
                    "list of exports"
                )
        return self

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.random_share + self.exploration_share > 1.0:
            raise ValueError(
                f"random_share ({self.random_share}) and exploration_share ({self.exploration_share}) are "
                "more than the whole list"
            )
        if sum(self.minimum_shares.values()) > 1.0 + 1e-9:
            raise ValueError(f"minimum_shares are more than the whole: {dict(self.minimum_shares)}")
        return self

    def for_office(self, office: str) -> OfficeCapacity:
        """The capacity of `office`, with what it does not set taken from `default`.

        >>> CapacityConfig(offices={"4601": OfficeOverride(share=0.02)}).for_office("4601").places(1_000)
        20
        """
        override = self.offices.get(office)
        if override is None:
            return self.default
        given = override.model_dump(exclude_none=True, exclude={"language", "exports"})
        if override.shifts and not given.keys() & {"parcels", "share", "minimum"}:
            given["parcels"] = sum(override.shifts.values())
        if "parcels" not in given and ("share" in given or "minimum" in given):
            # Whoever sets a share for an office means the share, also where the default is a number.
            given["parcels"] = None
        if override.exports is not None:
            given["exports"] = override.exports
        return self.default.model_copy(update=given)

    def language_of(self, office: str) -> LanguageCode:
        """The language of the office's documents.

        >>> config = CapacityConfig(offices={"4601": OfficeOverride(language="zh-CN")})
        >>> config.language_of("4601"), config.language_of("2244")
        ('zh-CN', 'en')
        """
        override = self.offices.get(office)
        return self.language if override is None or override.language is None else override.language

    @property
    def languages(self) -> tuple[LanguageCode, ...]:
        """Every language that documents are written in, the default one first, then by code."""
        others = {each.language for each in self.offices.values() if each.language is not None}
        return (self.language, *sorted(others - {self.language}))

    @property
    def spoken(self) -> Spoken:
        """The language of all documents, and those of the offices that have one of their own."""
        named = {office: each.language for office, each in sorted(self.offices.items())}
        return self.language, tuple((office, code) for office, code in named.items() if code is not None)

    def speaking(self, spoken: Spoken) -> CapacityConfig:
        """The same with documents in these languages, whatever was set.

        >>> config = CapacityConfig(offices={"4601": OfficeOverride(language="zh-CN", parcels=5)})
        >>> config.speaking(("en", (("2244", "zh-CN"),))).languages, config.speaking(("zh-CN", ())).languages
        (('en', 'zh-CN'), ('zh-CN',))
        """
        language, named = spoken
        offices = {
            office: each.model_copy(update={"language": None}) for office, each in self.offices.items()
        }
        for office, code in named:
            kept = offices.get(office, OfficeOverride())
            offices[office] = kept.model_copy(update={"language": code})
        return self.model_copy(update={"language": language, "offices": offices})

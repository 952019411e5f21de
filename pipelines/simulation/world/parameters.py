"""The numbers that make one simulated world differ from another."""

from dataclasses import dataclass, replace
from typing import Final

OFFICERS: Final = ("programmes", "watch_list", "price", "xray", "mixed", "default_list")
"""How officers choose whom they stop; docs/simulator.md says what each does."""


@dataclass(frozen=True)
class WorldParameters:
    """Every tunable number of a world; docs/simulator.md explains what each one drives.

    Shares are in [0, 1]; `volume` is the average number of parcels a day that the parties are made for.

    >>> WorldParameters.for_volume(6000).sellers > WorldParameters.for_volume(600).sellers
    True
    >>> WorldParameters(undervaluation_rate=1.5)
    Traceback (most recent call last):
    ...
    ValueError: undervaluation_rate: expected a number in [0, 1], got 1.5
    """

    volume: int = 3000
    # Parties and goods
    sellers: int = 3600
    buyers: int = 90_000
    platforms: int = 24
    agents: int = 40
    carriers: int = 18
    models_per_family: int = 22
    seller_tail: float = 1.05
    seller_lifetime_days: float = 260.0
    personal_sender_share: float = 0.45
    hobby_addresses: int = 90
    lines_per_parcel: float = 1.6
    # Noise of honest declarations
    price_noise: float = 0.10
    seller_price_spread: float = 0.16
    weight_noise: float = 0.12
    private_noise: float = 0.6
    bargain_share: float = 0.07
    wrong_heading_share: float = 0.025
    unit_mistake_share: float = 0.004
    vague_share: float = 0.14
    typo_share: float = 0.06
    name_extras_share: float = 0.0
    missing_scale: float = 1.0
    sparsity: float = 0.0
    # Undervaluation
    undervaluation_rate: float = 0.025
    undervaluation_mix: tuple[float, float, float] = (0.48, 0.27, 0.25)
    undervaluation_concentration: float = 1.3
    declared_share_of_value: float = 0.56
    declared_share_spread: float = 0.16
    split_parcel_share: float = 0.0028
    honest_repeat_share: float = 0.012
    borrowed_share: float = 0.0
    refund_share: float = 0.0
    # Prohibited items
    prohibited_rate: float = 0.0007
    ring_share: float = 0.55
    careful_smuggler_share: float = 0.6
    revealing_text_share: float = 0.07
    # Food safety
    food_rate: float = 0.018
    food_lot_share: float = 0.5
    food_lots: int = 30
    food_seller_spread: float = 1.4
    # Inspections
    officers: str = "programmes"
    inspection_share: float = 0.038
    random_share: float = 0.01
    referral_share: float = 0.0012
    officer_noise: float = 0.9
    known_probability_share: float = 0.6
    sensitivity_undervaluation: float = 0.80
    sensitivity_prohibited: float = 0.92
    sensitivity_food: float = 0.90
    false_positive_undervaluation: float = 0.006
    false_positive_prohibited: float = 0.0001
    false_positive_food: float = 0.002
    food_tested_share: float = 0.9
    other_risks_share: float = 1.0
    # What reaches the records
    one_report_share: float = 0.0
    late_result_share: float = 0.0
    unknown_selection_share: float = 0.0
    repeated_result_share: float = 0.0
    other_spelling_share: float = 0.0
    # Change in the last third of the days
    drift_seller_share: float = 0.35
    drift_price_shift: float = -0.08
    drift_price_spread: float = 0.12
    drift_concealment_share: float = 0.85

    def __post_init__(self) -> None:
        """Refuse numbers that no world can have."""
        for name, value in vars(self).items():
            is_share = name.endswith(("_share", "_rate")) or name.startswith(
                ("sensitivity", "false_positive")
            )
            if is_share and not 0.0 <= value <= 1.0:
                raise ValueError(f"{name}: expected a number in [0, 1], got {value}")
            if isinstance(value, int) and value < 1:
                raise ValueError(f"{name}: expected a whole number from 1, got {value}")
        if self.officers not in OFFICERS:
            raise ValueError(f"officers: expected one of {', '.join(OFFICERS)}, got {self.officers}")
        if (
            len(self.undervaluation_mix) != 3
            or min(self.undervaluation_mix) < 0
            or not sum(self.undervaluation_mix)
        ):
            raise ValueError(
                "undervaluation_mix: expected three shares (under-invoicing, cheaper heading, quantity), "
                f"got {self.undervaluation_mix}"
            )
        if not 0.0 <= self.sparsity < 1.0:
            raise ValueError(f"sparsity: expected a number in [0, 1), got {self.sparsity}")
        if self.lines_per_parcel < 1.0:
            raise ValueError(f"lines_per_parcel: expected a number from 1, got {self.lines_per_parcel}")

    @classmethod
    def for_volume(cls, parcels_per_day: int) -> "WorldParameters":
        """Return the parameters whose parties fit `parcels_per_day` parcels on an average day."""
        volume = max(parcels_per_day, 50)
        return cls(
            volume=volume,
            sellers=min(max(int(1.2 * volume), 400), 200_000),
            buyers=30 * volume,
            hobby_addresses=max(volume // 33, 15),
            food_lots=min(max(int(30 * (volume / 3000) ** 0.5), 8), 140),
        )

    def sparse(self) -> "WorldParameters":
        """Return the same world with 40% of the optional values missing and half the inspections."""
        return replace(
            self,
            sparsity=0.4,
            inspection_share=self.inspection_share / 2,
            random_share=self.random_share / 2,
            referral_share=self.referral_share / 2,
        )

    def with_officers(self, kind: str) -> "WorldParameters":
        """Return the same world with officers who choose in another way, and what such offices look like.

        Shares of inspections, of findings and of records are near those that an office's data showed
        (docs/simulator.md); "programmes" changes nothing.

        Raises:
            ValueError: there are no such officers.
        """
        if kind == self.officers:
            return self
        return replace(
            self,
            officers=kind,
            inspection_share=0.027,
            random_share=0.001,
            referral_share=0.0003,
            known_probability_share=0.4,
            other_risks_share=0.5,
            one_report_share=1.0,
            name_extras_share=0.4,
            undervaluation_rate=0.009,
            declared_share_of_value=0.45,
            false_positive_undervaluation=0.001,
            prohibited_rate=0.0014,
        )

    @property
    def has_rings(self) -> bool:
        """Return whether allowances are borrowed or sales come back."""
        return self.borrowed_share > 0 or self.refund_share > 0

    def with_rings(self) -> "WorldParameters":
        """Return the same world with rings that borrow allowances, and shops whose sales come back."""
        return replace(self, borrowed_share=0.01, refund_share=0.03)

    def with_faulty_records(self) -> "WorldParameters":
        """Return the same world with faults of recording, as agencies' published tables have them."""
        return replace(
            self,
            one_report_share=0.5,
            late_result_share=0.06,
            unknown_selection_share=0.2,
            repeated_result_share=0.02,
            other_spelling_share=0.1,
            missing_scale=1.5,
        )

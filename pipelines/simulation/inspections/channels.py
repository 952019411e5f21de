"""Why a parcel was opened, as codes into the words of the contract."""

from typing import Final

RANDOM, RISK, REFERRAL, RULE, OFFICER = range(5)
CHANNELS: Final = ("random", "risk", "referral", "rule", "officer")

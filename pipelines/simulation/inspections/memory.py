"""What officers remember of past findings."""

from dataclasses import dataclass, field

import numpy as np

from pipelines.simulation.world.randomness import Floats, Keys


@dataclass
class Memory:
    """Findings by risk and party, as reported: senders, and where there is a watch list their addresses."""

    parties: list[Keys] = field(default_factory=lambda: [np.array([], dtype=np.uint64)] * 3)
    counts: list[Floats] = field(default_factory=lambda: [np.array([])] * 3)

    def learn(self, risk: int, party: Keys) -> None:
        """Add findings that were reported."""
        keys, places = np.unique(np.concatenate([self.parties[risk], party]), return_inverse=True)
        old = np.concatenate([self.counts[risk], np.ones(len(party))])
        self.parties[risk], self.counts[risk] = keys, np.bincount(places, old).astype(np.float64)

    def findings(self, risk: int, party: Keys) -> Floats:
        """Return the findings remembered of each party."""
        keys, counts = self.parties[risk], self.counts[risk]
        if not len(keys):
            return np.zeros(len(party))
        places = np.minimum(np.searchsorted(keys, party), len(keys) - 1)
        return np.where(keys[places] == party, counts[places], 0.0)

"""Sites that are nearly the same place: what is learned at one is known at the other.

Sites within a distance belong together, and so do their neighbours within it (a chain of sites is
one group), found by union-find (Galler & Fischer 1964).
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.places import Places, pairs_within


@dataclass(frozen=True)
class Twins:
    """Which sites belong together.

    Args:
        within: Distance, km. At 5 km OK_Stillwater_5_WNW and OK_Stillwater_2_W are twins (2.4 km).
        pairs: Names of sites that belong together whatever their distance, where both are there.
    """

    within: float = 5.0
    pairs: tuple[tuple[str, str], ...] = ()

    def groups(self, places: Places) -> np.ndarray:
        """Number the groups, `[site]`, in the order of their first sites.

        >>> three = Places(("a", "b", "c"), np.array([0.0, 0.01, 9.0]), np.zeros(3))
        >>> Twins().groups(three).tolist()
        [0, 0, 1]
        """
        parent = np.arange(len(places))
        for one, other in [*pairs_within(places, self.within).tolist(), *self._named(places)]:
            one, other = _root(parent, one), _root(parent, other)
            parent[max(one, other)] = min(one, other)
        roots = np.array([_root(parent, i) for i in range(len(places))], int)
        return np.unique(roots, return_inverse=True)[1]

    def _named(self, places: Places) -> list[tuple[int, int]]:
        index = {name: i for i, name in enumerate(places.names)}
        return [(index[a], index[b]) for a, b in self.pairs if a in index and b in index]


TWINS = Twins()


def _root(parent: np.ndarray, site: int) -> int:
    while parent[site] != site:
        parent[site] = parent[parent[site]]
        site = int(parent[site])
    return site

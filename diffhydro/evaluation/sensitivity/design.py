"""Points that fill the unit cube more evenly than chance would, and are random all the same.

Means over a set of points are unbiased, and sets that are drawn anew give independent means, from
whose spread an error follows (Owen 1997 for scrambled nets, McKay et al. 1979 for hypercubes).
"""

from collections.abc import Callable

import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Float

Design = Callable[[int, int, np.random.Generator], Float[np.ndarray, "member entry"]]


def scrambled_sobol(
    members: int, entries: int, rng: np.random.Generator
) -> Float[np.ndarray, "member entry"]:
    """Return points of Sobol's sequence, scrambled; their number is a power of two.

    >>> scrambled_sobol(4, 2, np.random.default_rng(0)).shape
    (4, 2)
    """
    from scipy.stats import qmc

    check_power_of_two("a set of Sobol points", members)
    # SciPy calls it rng since 1.15, and takes the older name as well.
    return qmc.Sobol(entries, seed=rng).random(members)  # pyright: ignore[reportCallIssue]


def latin_hypercube(
    members: int, entries: int, rng: np.random.Generator
) -> Float[np.ndarray, "member entry"]:
    """Return points of which every position, by itself, is spread evenly; any number of them."""
    from scipy.stats import qmc

    return qmc.LatinHypercube(entries, seed=rng).random(members)  # pyright: ignore[reportCallIssue]


def check_power_of_two(what: str, number: int) -> None:
    """Raise InputError where Sobol's sequence would lose its balance."""
    if number < 2 or number & (number - 1):
        below = 1 << max(int(number).bit_length() - 1, 1)
        raise InputError(
            f"{what} has {number} points; Sobol's sequence is balanced at powers of two, take "
            f"{below} or {2 * below}"
        )

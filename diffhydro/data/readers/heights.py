"""Wind at 2 m from wind at another height above short grass.

u₂ = u_z 4.87/ln(67.8 z − 5.42)                                          (FAO-56 eq. 47)
"""

from math import log

from diffhydro.errors import InputError

_LOWEST, _HIGHEST = 0.5, 50.0  # m; the profile holds near the ground, above what grows there


def wind_to_two_metres(height: float) -> float:
    """Give the factor for a wind measured at `height` metres.

    >>> round(wind_to_two_metres(10.0), 3)
    0.748
    """
    if not _LOWEST <= height <= _HIGHEST:
        raise InputError(f"wind at {height:g} m; the profile is for {_LOWEST:g} to {_HIGHEST:g} m")
    return 4.87 / log(67.8 * height - 5.42)

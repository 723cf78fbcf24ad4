"""Where series have gaps, and how long those are."""

import numpy as np

from diffhydro.errors import InputError

_DAY = np.timedelta64(86_400_000_000_000, "ns")


def days_per_step(times: np.ndarray) -> float:
    """Give the step of a series in days; steps have to be equal, for gaps are counted in steps.

    >>> days_per_step(np.array(["2020-01-01T00", "2020-01-01T06"], "datetime64[h]"))
    0.25
    """
    instants = np.asarray(times).astype("datetime64[ns]")
    if len(instants) < 2:
        return 1.0
    steps = np.diff(instants)
    if (steps != steps[0]).any() or steps[0] <= np.timedelta64(0, "ns"):
        odd = int(np.flatnonzero((steps != steps[0]) | (steps <= np.timedelta64(0, "ns")))[0])
        raise InputError(
            f"times do not go on in equal steps: {instants[odd]} is followed by "
            f"{instants[odd + 1]}; put what is missing in as NaN first"
        )
    return float(steps[0] / _DAY)


def gap_lengths(missing: np.ndarray) -> np.ndarray:
    """Give for every missing value the number of values that its gap has, and 0 for the others.

    >>> gap_lengths(np.array([[False, True, True, False, True]])).tolist()
    [[0, 2, 2, 0, 1]]

    Args:
        missing: Time along the last axis.
    """
    before, after = neighbours_in_time(~np.asarray(missing, bool))
    return np.where(missing, after - before - 1, 0)


def neighbours_in_time(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the index of the last value that is there, at or before a time, and of the next.

    Where there is none: −1, and the number of times.
    """
    length = there.shape[-1]
    at = np.arange(length)
    before = np.maximum.accumulate(np.where(there, at, -1), axis=-1)
    after = np.minimum.accumulate(np.where(there, at, length)[..., ::-1], axis=-1)[..., ::-1]
    return before, after

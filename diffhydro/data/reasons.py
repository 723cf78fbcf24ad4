"""Why values were taken out: a bit for each reason, so that a value can have several."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntFlag
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

COMPANION = "{name}_screened"


class Reason(IntFlag):
    """What is wrong with a value; in brackets the flag that the ISMN gives for it."""

    OUTSIDE_RANGE = 1  # C01, C02
    ABOVE_POROSITY = 2  # C03
    SPIKE = 4  # D06
    DROP = 8  # D07
    JUMP = 16  # D08
    LOW_PLATEAU = 32  # D09
    SATURATED_PLATEAU = 64  # D10
    STUCK = 128


@dataclass(frozen=True, eq=False)
class Found:
    """What screens found in series: bits of `Reason`, `uint16`, 0 for a value that is good.

    >>> found = Found.where(np.array([True, False]), Reason.SPIKE)
    >>> (found | Found.where(np.array([True, True]), Reason.STUCK)).reasons.tolist()
    [132, 128]
    """

    reasons: np.ndarray

    @classmethod
    def where(cls, bad: np.ndarray, reason: Reason) -> "Found":
        """Give one reason to what is bad."""
        return cls(np.where(bad, np.uint16(reason), np.uint16(0)))

    @property
    def bad(self) -> np.ndarray:
        """Tell which values have a reason against them."""
        return self.reasons > 0

    def __or__(self, other: "Found") -> "Found":
        """Put the reasons of two screens together."""
        return Found(self.reasons | other.reasons)

    def clean(self, values: np.ndarray) -> np.ndarray:
        """Give the values without the bad ones, which are missing then."""
        return np.where(self.bad, np.nan, values).astype(values.dtype)

    def count(self) -> Mapping[str, int]:
        """Count the values by reason; a value with two reasons counts twice."""
        counted = {r.name or "": int(np.count_nonzero(self.reasons & r)) for r in Reason}
        return {name.lower(): number for name, number in counted.items() if number}


def mark(dataset: "xr.Dataset", name: str, found: Found, dims: tuple[str, ...]) -> "xr.Dataset":
    """Take bad values out of a variable, and say why beside it in `<name>_screened`.

    Args:
        dims: Of `found`.
    """
    import xarray as xr

    variable = dataset[name]
    reasons = xr.Variable(dims, found.reasons).transpose(*variable.dims)
    cleaned = variable.variable.where(reasons == 0).astype(variable.dtype)
    companion = COMPANION.format(name=name)
    cleaned.attrs = variable.attrs | {"ancillary_variables": companion}
    reasons.attrs = {
        "long_name": f"why {name} was taken out",
        "flag_masks": np.array([r.value for r in Reason], np.uint16),
        "flag_meanings": " ".join((r.name or "").lower() for r in Reason),
    }
    return dataset.assign({name: cleaned, companion: reasons})

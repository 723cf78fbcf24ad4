"""Days on which soil gets wetter though no water came: violations of the water balance.

A dry spell is a run of at least 10 days on which nothing enters the soil and something evaporates
(I_F = 0, and E_V > 0 or E_S > 0). Soil moisture must not rise within it. A day is a violation if
the prediction is above that of the day before, both days of one spell, and if what was observed
bears the spell out (Xi & Zhuang 2026): at sites it rises on none of the spell's days; in cells of a
satellite at most half of the days are missing, and at most half of those that can be compared rise.

A value is compared with the last one known in the same spell: it rises from there if, and only if,
the straight line rises with which the study fills the gap.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.pairing import rows, together

if TYPE_CHECKING:
    import xarray as xr

LEAST = 10  # days of a dry spell
_SAID = {
    "days": "days on which soil moisture rises in a dry spell",
    "spells": "dry spells that observations bear out",
    "dry_days": "days of such spells that have a day before them",
}


@dataclass(frozen=True)
class Witness:
    """When observations bear a dry spell out.

    Args:
        missing: Largest share of the spell's days without an observation.
        rising: Largest share of the days, of those with an earlier value in the spell, that rise.
    """

    missing: float
    rising: float

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        if not (0.0 <= self.missing <= 1.0 and 0.0 <= self.rising <= 1.0):
            raise InputError(f"shares lie between 0 and 1, not {self.missing} and {self.rising}")


# Sites of the study have hardly any gaps; the half keeps spells that a few lost days would end.
AT_SITES = Witness(missing=0.5, rising=0.0)
IN_CELLS = Witness(missing=0.5, rising=0.5)


@dataclass(frozen=True, eq=False)
class _Spells:
    """Runs of days in rows laid end to end: first day of each, and the day after its last."""

    row: np.ndarray
    first: np.ndarray
    end: np.ndarray

    def total(self, marks: np.ndarray) -> np.ndarray:
        sums = np.concatenate([[0], np.cumsum(marks.ravel())])
        return sums[self.end] - sums[self.first]


def violations(
    soil_moisture: "xr.DataArray",
    observed: "xr.DataArray",
    inflow: "xr.DataArray",
    transpiration: "xr.DataArray",
    soil_evaporation: "xr.DataArray",
    *,
    witness: Witness = AT_SITES,
    over: str = "time",
    least: int = LEAST,
    trace: float = 0.0,
) -> "xr.Dataset":
    """Count them for each place: `days`, in how many `spells`, and of how many `dry_days`.

    Args:
        soil_moisture: Predicted.
        inflow: Into the soil, before any evaporates: of the process model, mm/day, as are both
            kinds of evaporation.
        witness: `AT_SITES` or `IN_CELLS`, or shares of your own.
        least: Days that make a dry spell.
        trace: Inflow up to this is none, mm/day: models with smooth thresholds never reach 0.
    """
    import xarray as xr

    given = together(
        over, soil_moisture=soil_moisture, observed=observed, inflow=inflow,
        transpiration=transpiration, soil_evaporation=soil_evaporation,
    )  # fmt: skip
    _check_steps(given[0], over)
    model = given[0]
    sizes = {str(d): model.sizes[d] for d in model.dims if d != over}
    for one in given[1:]:
        extra = [str(d) for d in one.dims if d != over and d not in sizes]
        if extra:
            raise InputError(f"a series is over {', '.join(extra)}, the soil moisture is not")
    theta, seen, water, leaf, soil = (rows(x, over, sizes) for x in given)
    spells = _dry_spells((water <= trace) & ((leaf > 0.0) | (soil > 0.0)), least)
    found = _counts(theta, seen, spells, witness)
    template = model.isel({over: 0}, drop=True)
    made = {name: template.copy(data=x.reshape(template.shape)) for name, x in found.items()}
    for name, words in _SAID.items():
        made[name].attrs = {"long_name": words, "units": "1"}
    return xr.Dataset(made)


def _check_steps(model: "xr.DataArray", over: str) -> None:
    steps = model[over].values
    if len(steps) > 1 and steps.dtype.kind == "M":
        apart = np.diff(steps) / np.timedelta64(1, "D")
        if not np.allclose(apart, 1.0):
            at = int(np.flatnonzero(~np.isclose(apart, 1.0))[0])
            raise InputError(
                f"violations need every day; after {np.datetime_as_string(steps[at], 'D')} the "
                f"next one that all series have is {np.datetime_as_string(steps[at + 1], 'D')}"
            )


def _dry_spells(is_dry: np.ndarray, least: int) -> _Spells:
    number, days = is_dry.shape
    wall = np.zeros((number, 1), bool)
    change = np.diff(np.concatenate([wall, is_dry, wall], axis=1).astype(np.int8), axis=1)
    row, first = np.nonzero(change == 1)
    end = np.nonzero(change == -1)[1]
    long = end - first >= least
    row = row[long]
    return _Spells(row, row * days + first[long], row * days + end[long])


def _counts(
    theta: np.ndarray, seen: np.ndarray, spells: _Spells, witness: Witness
) -> dict[str, np.ndarray]:
    number = len(theta)
    known = np.isfinite(seen)
    rises, judged = _rises(seen, spells)
    length = spells.end - spells.first
    up, steps = spells.total(rises), spells.total(judged)
    counts = (
        (length - spells.total(known) <= witness.missing * length)
        & (steps > 0)
        & (up <= witness.rising * steps)
    )
    wrong, compared = _rises(theta, spells)

    def by_row(amount: np.ndarray) -> np.ndarray:
        return np.bincount(spells.row, np.where(counts, amount, 0), number).astype(np.int64)

    return {
        "days": by_row(spells.total(wrong)),
        "spells": by_row(np.ones(len(counts))),
        "dry_days": by_row(spells.total(compared)),
    }


def _rises(values: np.ndarray, spells: _Spells) -> tuple[np.ndarray, np.ndarray]:
    """Mark days above the last known one of the same spell, and days that have such a one."""
    flat = values.ravel()
    known = np.isfinite(flat)
    place = np.arange(len(flat))
    last = np.maximum.accumulate(np.where(known, place, -1))
    before = np.concatenate([[-1], last[:-1]]) if len(flat) else last
    start = np.full(len(flat), len(flat))
    for_each = np.repeat(spells.first, spells.end - spells.first)
    inside = for_each + _ramp(spells.end - spells.first)
    start[inside] = for_each
    judged = known & (before >= start)
    with np.errstate(invalid="ignore"):
        up = judged & (flat > flat[np.maximum(before, 0)])
    return up, judged


def _ramp(lengths: np.ndarray) -> np.ndarray:
    """Count from 0 within each of some lengths, laid end to end."""
    ends = np.cumsum(lengths)
    return np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)

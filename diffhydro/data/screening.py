"""Which sites are good enough to learn from, and why the others are not.

The defaults are those of Xi & Zhuang 2026 (JGR Machine Learning and Computation 3, e2025JH001121):
a site with more than 182 missing days in five years, or a gap of more than 30, is dropped; what the
others miss is filled along straight lines, and marked. What lies before the first observation or
after the last stays missing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.gaps.filled import fill
from diffhydro.data.gaps.linear import Linear
from diffhydro.data.gaps.runs import days_per_step, gap_lengths
from diffhydro.data.trends import trend
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Rules:
    """When a site is dropped.

    Args:
        most_missing: Days without a value beyond which it is.
        longest_gap: Days in a row beyond which it is, also at the ends of the series.
        least_spread: Standard deviation below which it is, for a probe that sees nothing.
        steepest: Change per year beyond which it is, if no chance made it; None to leave trends be.
        chance: Of so strong a trend in a series without one, below which it is taken for real. Five
            years that rise without exception have 0.015.
    """

    most_missing: float = 182.0
    longest_gap: float = 30.0
    least_spread: float = 0.0
    steepest: float | None = None
    chance: float = 0.05


@dataclass(frozen=True)
class Verdict:
    """What was found at a site; it is kept where nothing speaks against it.

    Args:
        missing: Days.
        gap: The longest, days.
    """

    site: str
    missing: float
    gap: float
    against: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Tell whether nothing speaks against it."""
        return not self.against


def judge(
    values: np.ndarray,
    times: np.ndarray,
    names: tuple[str, ...],
    rules: Rules,
    seen: np.ndarray | None = None,
) -> tuple[Verdict, ...]:
    """Judge series `[site, time]`, NaN for missing.

    Args:
        seen: Sites that another source sees too, such as a satellite; the others are dropped.
    """
    if len(names) != len(values) or (seen is not None and len(seen) != len(values)):
        raise InputError(f"{len(values)} series, {len(names)} names; they have to be as many")
    missing = np.isnan(values)
    step = days_per_step(times)
    days, gaps = missing.sum(axis=1) * step, gap_lengths(missing).max(axis=1, initial=0) * step
    reasons: list[list[str]] = [[] for _ in names]
    for i, against in enumerate(reasons):
        if days[i] > rules.most_missing:
            against.append(f"{days[i]:g} days missing, {rules.most_missing:g} allowed")
        if gaps[i] > rules.longest_gap:
            against.append(f"a gap of {gaps[i]:g} days, {rules.longest_gap:g} allowed")
        if seen is not None and not seen[i]:
            against.append("not seen by the other source")
        spread = float(np.std(values[i], where=~missing[i])) if not missing[i].all() else 0.0
        if spread < rules.least_spread:
            against.append(f"standard deviation {spread:.2g}, {rules.least_spread:g} wanted")
    if rules.steepest is not None:
        for i, (slope, chance) in enumerate(zip(*trend(values, times), strict=True)):
            if abs(slope) > rules.steepest and chance < rules.chance:
                reasons[i].append(f"changes by {slope:.2g} a year, {rules.steepest:g} allowed")
    return tuple(
        Verdict(name, float(days[i]), float(gaps[i]), tuple(reasons[i]))
        for i, name in enumerate(names)
    )


def screen_sites(
    dataset: "xr.Dataset",
    name: str = "soil_moisture",
    rules: Rules | None = None,
    *,
    depth: float | None = None,
    seen: np.ndarray | None = None,
) -> tuple["xr.Dataset", tuple[Verdict, ...]]:
    """Keep the good sites of a data set, fill their gaps in `name` linearly, and report on all.

    Args:
        depth: Of the probes that decide, mm; not given where the variable has no depths, or one.
    """
    rules = rules or Rules()
    series = _deciding(dataset[name], name, depth)
    values = np.asarray(series.transpose("site", "time").values)
    names = tuple(str(site) for site in dataset["site"].values)
    verdicts = judge(values, dataset["time"].values, names, rules, seen)
    kept = dataset.isel(site=[i for i, one in enumerate(verdicts) if one.is_kept])
    if kept.sizes["site"] == 0:
        raise InputError(
            f"none of {len(names)} sites is kept; {names[0]}: {'; '.join(verdicts[0].against)}"
        )
    return fill(kept, Linear(rules.longest_gap), [name]), verdicts


def _deciding(series: "xr.DataArray", name: str, depth: float | None) -> "xr.DataArray":
    if "depth" not in series.dims:
        return series
    listed = ", ".join(f"{d:g}" for d in series["depth"].values)
    if depth is not None and depth not in series["depth"].values:
        raise InputError(f"no probe at {depth:g} mm; {name} has {listed}")
    if depth is None and series.sizes["depth"] > 1:
        raise InputError(f"{name} has depths {listed}; say which one decides")
    return series.isel(depth=0) if depth is None else series.sel(depth=depth)

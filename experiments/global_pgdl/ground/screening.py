"""Step 1: which stations are good enough, copies of shared weather, labels without noise."""

from dataclasses import replace
from typing import TYPE_CHECKING

import jax.numpy as jnp
import numpy as np

from diffhydro.coupling import Inputs
from diffhydro.data.augment import cells_of, perturbed_copies
from diffhydro.data.screening import Rules, Verdict, judge
from diffhydro.data.screens import screen_soil_moisture
from diffhydro.data.smoothing import fit_noise, smooth
from diffhydro.errors import InputError
from experiments.global_pgdl.ground.places import WEATHER, Places, Stations
from experiments.global_pgdl.preset import Screening

if TYPE_CHECKING:
    import xarray as xr


def at_depth(stations: "xr.Dataset", depth: float) -> "xr.Dataset":
    """Keep the probes of one depth, without what an instrument made up."""
    depths = stations["depth"].values
    if not np.isclose(depths, depth).any():
        listed = ", ".join(f"{d:g}" for d in depths)
        raise InputError(f"no station has a probe at {depth:g} mm; depths are {listed} mm")
    found = stations.isel(depth=int(np.argmin(np.abs(depths - depth)))).load()
    return screen_soil_moisture(found)


def screened(
    stations: "xr.Dataset", rules: Screening, first: str, seen: np.ndarray | None = None
) -> tuple["xr.Dataset", tuple[Verdict, ...]]:
    """Keep stations with few and short gaps, and report on all.

    A probe in frozen soil says nothing, and that is no fault: where the soil's temperature is known
    to be below zero, a day counts neither as missing nor as observed.
    """
    counted = stations.sel(time=slice(first, None))
    values = np.asarray(counted["soil_moisture"].transpose("site", "time").values, np.float64)
    years = values.shape[1] / 365.25
    names = tuple(str(name) for name in counted["site"].values)
    allowed = Rules(rules.most_missing * years, rules.longest_gap)
    excused = np.where(np.isnan(values) & _frozen(counted), 0.0, values)
    verdicts = judge(excused, counted["time"].values, names, allowed, seen)
    days = np.isfinite(values).sum(axis=1)
    verdicts = tuple(
        one
        if n >= rules.least_days
        else replace(one, against=(*one.against, f"{n} days observed, {rules.least_days} wanted"))
        for one, n in zip(verdicts, days, strict=True)
    )
    kept = [i for i, one in enumerate(verdicts) if one.is_kept]
    if not kept:
        raise InputError(
            f"none of {len(names)} stations is kept; {names[0]}: {'; '.join(verdicts[0].against)}. "
            "Allow longer gaps (screening.longest_gap), or more (screening.most_missing)"
        )
    return stations.isel(site=kept), verdicts


def prepared(kept: "xr.Dataset", first: str, cell: float, seed: int) -> Stations:
    """Make of a data set what models learn from and are judged by."""
    places = Places.of(kept, first)
    cells = cells_of(places.latitude, places.longitude, cell)
    copies = perturbed_copies(kept, cells, seed=seed)
    order = ("site", "time")
    changed = {name: np.asarray(copies[name].transpose(*order), np.float32) for name in WEATHER}
    told = replace(
        places, inputs=Inputs({**places.inputs.series, **changed}, places.inputs.attributes)
    )
    observed = np.asarray(kept["soil_moisture"].transpose(*order).values, np.float32)
    level = _level(observed)
    labels = np.where(np.isnan(observed), np.nan, level).astype(np.float32)
    return Stations(places, told, observed, labels, _without_gaps(labels))


def _frozen(stations: "xr.Dataset") -> np.ndarray:
    if "soil_temperature" not in stations:
        return np.zeros(stations["soil_moisture"].shape, bool)
    return stations["soil_temperature"].transpose("site", "time").values <= 0.0


def _level(values: np.ndarray) -> np.ndarray:
    """Take the noise off; constant series have none."""
    series = jnp.asarray(values)
    noise, step = fit_noise(series)
    flat = ~(np.asarray(noise + step) > 0.0)
    noise, step = (
        jnp.where(jnp.asarray(flat), jnp.asarray(1.0, x.dtype), x) for x in (noise, step)
    )
    return np.where(flat[:, None], values, np.asarray(smooth(series, noise, step).mean))


def _without_gaps(labels: np.ndarray) -> np.ndarray:
    """Draw straight lines through gaps; before the first and after the last value stay level."""
    days = np.arange(labels.shape[1])
    made = [np.interp(days, days[np.isfinite(x)], x[np.isfinite(x)]) for x in labels]
    return np.stack(made).astype(np.float32)

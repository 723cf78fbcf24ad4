"""Series of a few sites with gaps, on named axes."""

import numpy as np
import xarray as xr


def observed_and_simulated(sites=3, days=400, seed=0, gaps=0.2):
    """Give soil moisture with a season, and a prediction of it with errors."""
    rng = np.random.default_rng(seed)
    season = 0.25 + 0.08 * np.sin(2.0 * np.pi * np.arange(days) / 365.25)
    weather = ar1(rng, (sites, days), 0.9) * 0.03
    truth = season + weather
    simulated = 0.02 + 0.9 * truth + 0.02 * ar1(rng, (sites, days), 0.8)
    observed = np.where(rng.random(truth.shape) < gaps, np.nan, truth)
    return named(observed), named(simulated)


def ar1(rng, shape, memory):
    """Give series of unit variance whose correlation from step to step is `memory`."""
    found = np.empty(shape)
    found[..., 0] = rng.normal(size=shape[:-1])
    noise = rng.normal(size=shape) * np.sqrt(1.0 - memory**2)
    for t in range(1, shape[-1]):
        found[..., t] = memory * found[..., t - 1] + noise[..., t]
    return found


def named(values, **attrs):
    """Name the axes site and time."""
    sites = [f"site{i}" for i in range(len(values))]
    times = np.datetime64("2016-01-01", "ns") + np.arange(values.shape[1]) * np.timedelta64(1, "D")
    where = {"site": sites, "time": times, "latitude": ("site", np.arange(len(values)) + 30.0)}
    return xr.DataArray(values, dims=("site", "time"), coords=where, attrs={"units": "m3 m-3"})

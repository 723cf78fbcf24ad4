"""A small data set of which every number can be told from every other."""

import numpy as np
import xarray as xr

from diffhydro.data.places import Places
from diffhydro.data.splits import Part

DAYS = 50
SITES = 5
FORCING = ("precipitation", "temperature")


def dataset(sites=SITES, days=DAYS, seed=0, depths=2):
    """Forcing encodes site and day; observations are missing now and then."""
    rng = np.random.default_rng(seed)
    code = 1000.0 * np.arange(sites)[:, None] + np.arange(days)
    moisture = rng.uniform(0.1, 0.4, (sites, days, depths)).astype(np.float32)
    moisture[rng.random(moisture.shape) < 0.3] = np.nan
    return xr.Dataset(
        {
            "precipitation": (("site", "time"), code.astype(np.float32)),
            "temperature": (("time", "site"), -code.T.astype(np.float32)),
            "soil_moisture": (("site", "time", "depth"), moisture),
            "elevation": ("site", 10.0 * np.arange(sites)),
            "sand": (("depth", "site"), np.arange(2.0 * sites).reshape(2, sites)[:depths]),
        },
        {
            "site": [f"s{i}" for i in range(sites)],
            "time": np.datetime64("2020-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D"),
            "depth": [50.0, 100.0][:depths],
            "latitude": ("site", np.arange(sites) * 1.0),
            "longitude": ("site", np.zeros(sites)),
        },
    )


def part(found, sites, times=None):
    return Part.make(Places.of(found), np.asarray(sites), times)

"""A small training: twelve invented places whose soil moisture is what rain has left behind."""

import copy
import sys

import numpy as np
import pytest
import yaml

from diffhydro.app.cli import main
from diffhydro.data.embedded import embedded_weather

DAYS = 240
NETWORK = {
    "model": {
        "coupling": "network",
        "series": ["precipitation", "temperature"],
        "attributes": ["sand", "clay"],
        "head": {"kind": "lstm", "hidden": 6, "start": 1.0},
    },
    "data": {"sites": "sites.nc"},
    "windows": {"length": 80, "warm_up": 20, "batch": 8},
    "hold_out": {"by": "sites", "folds": 3, "validation": 0.2},
    "training": {"epochs": 3, "rate": 0.02},
}


def write_sites(folder, days=DAYS, name="sites.nc"):
    """Write weather, and at 5 cm an exponential memory of the rain."""
    found = embedded_weather(days=days)
    rain = found["precipitation"].values
    wet = np.zeros_like(rain)
    for day in range(1, days):
        wet[:, day] = 0.93 * wet[:, day - 1] + 0.006 * rain[:, day]
    rng = np.random.default_rng(0)
    seen = np.clip(0.08 + wet, 0.0, 0.5) + rng.normal(0.0, 0.005, wet.shape)
    found["soil_moisture"] = ("site", "time", "depth"), seen[..., None], {"units": "m3 m-3"}
    found = found.assign_coords(depth=("depth", [0.05], {"units": "m"}))
    path = folder / name
    found.to_netcdf(path, engine="h5netcdf")
    return path


def write_config(folder, config=None, **changes):
    """Write a configuration; changes by path, with __ for the dot."""
    config = copy.deepcopy(NETWORK if config is None else config)
    for key, value in changes.items():
        *above, last = key.split("__")
        part = config
        for name in above:
            part = part.setdefault(name, {})
        part[last] = value
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def call(monkeypatch, *words):
    """Run the program in this process; give its exit status."""
    monkeypatch.setattr(sys, "argv", ["diffhydro", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    return stop.value.code or 0

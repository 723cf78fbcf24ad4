"""Case files for the tests of the command line: a small good one, and ways to write others."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

LOAM = {
    "model": "van_genuchten",
    "theta_r": 0.078,
    "theta_s": 0.43,
    "alpha": 3.6,
    "n": 1.56,
    "Ks": 0.2496,
    "l": 0.5,
}
GOOD: dict[str, Any] = {
    "id": "small",
    "depth": 1.0,
    "layers": [
        {"top": 0.0, "bottom": 0.4, "soil": LOAM},
        {"top": 0.4, "bottom": 1.0, "soil": LOAM | {"n": 2.2, "Ks": 1.0}},
    ],
    "Ss": 0.0,
    "initial": {"type": "uniform_head", "h": -2.0},
    "top": {"type": "atmosphere", "h_air_dry": -100.0, "pond_max": 0.01},
    "bottom": {"type": "free_drainage"},
    "roots": {
        "depth": 0.5,
        "shape": "linear",
        "feddes": {"h1": -0.1, "h2": -0.25, "h3": -5.0, "h4": -80.0},
    },
    "forcing_file": "small_forcing.csv",
    "output_times": [0.5, 1.0, 2.0, 3.0],
    "profile_times": [1.0, 3.0],
    "source": "made up",
    "units": {"length": "m", "time": "day"},
}
FORCING = """t_end,P,Epot,Tpot
1.0,0.02,0.001,0.002
2.0,0.0,0.003,0.004
3.5,0.0,0.003,0.004
"""
REMOVE = object()


def write(folder: Path, case: dict | str | None = None, forcing: str | None = FORCING) -> Path:
    """Put a case file and its forcing into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    case = GOOD if case is None else case
    file = folder / "small.json"
    file.write_text(case if isinstance(case, str) else json.dumps(case), encoding="utf-8")
    if forcing is not None:
        (folder / "small_forcing.csv").write_text(forcing, encoding="utf-8")
    return file


def changed(path: str, value: Any) -> dict:
    """The good case with one value changed, added or removed; `path` is dotted."""
    case = deepcopy(GOOD)
    *way, last = path.split(".")
    place: Any = case
    for key in way:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if isinstance(place, list):
        place[int(last)] = value
    elif value is REMOVE:
        del place[last]
    else:
        place[last] = value
    return case

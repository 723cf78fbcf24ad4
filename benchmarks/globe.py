"""Study A's globe, 56 112 cells × 1827 days of the water-balance model, from zarr to zarr.

Runs `diffhydro simulate` as a user would, in a process of its own, on a share of the cells, and
extrapolates the time; memory does not depend on the number of cells, which are read and written a
chunk at a time.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Report, Row, Scale
from benchmarks.weather import random_weather

CELLS, DAYS = 56_112, 1827
GIGABYTES = 4.0
CHUNK = 1024


def measure(scale: Scale) -> Report:
    share = scale.pick(10, 50)
    cells = CELLS // share
    with tempfile.TemporaryDirectory() as folder:
        data, out = Path(folder) / "globe.zarr", Path(folder) / "out.zarr"
        _write(data, cells)
        words = ["simulate", "--model", "wbm", "--data", str(data), "--out", str(out)]
        program = "from diffhydro.app.cli import main; main()"
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", program, *words, "--chunk", str(CHUNK)],
            check=True,
            capture_output=True,
        )
        seconds = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    rate = cells * DAYS / seconds
    rows = [Row("memory", memory, GIGABYTES, unit="GB")]
    notes = [
        f"{cells} of {CELLS} cells (one in {share}) × {DAYS} days, chunks of {CHUNK}, float32, "
        "every flux and θ of six layers written",
        f"{rate / 1e6:.2f} M cell-days/s, reading, compiling and writing included; "
        f"the globe by extrapolation {CELLS * DAYS / rate / 60:.0f} min",
    ]
    return Report(rows, notes, {})


def _write(path: Path, cells: int) -> None:
    """Write weather a chunk at a time, as a large store would lie on disk."""
    import zarr

    rng = np.random.default_rng(0)
    names = ("precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area")
    units = ("mm day-1", "degC", "W m-2", "Pa", "1")
    group = zarr.open_group(path, mode="w")
    arrays = {
        name: group.create_array(
            name,
            shape=(cells, DAYS),
            chunks=(CHUNK, DAYS),
            dtype="float32",
            dimension_names=("cell", "time"),
            attributes={"units": unit},
        )
        for name, unit in zip(names, units, strict=True)
    }
    for start in range(0, cells, CHUNK):
        stop = min(start + CHUNK, cells)
        weather = random_weather(stop - start, DAYS, seed=start)
        for name, array in arrays.items():
            array[start:stop] = np.asarray(getattr(weather, name))
    columns = {
        "sand": rng.uniform(10.0, 80.0, cells),
        "clay": rng.uniform(5.0, 20.0, cells),
        "latitude": rng.uniform(-55.0, 70.0, cells),
        "is_wetland": (rng.random(cells) < 0.05).astype(float),
    }
    for name, values in columns.items():
        array = group.create_array(name, shape=(cells,), dtype="float64", dimension_names=("cell",))
        array[:] = values
    days = np.arange(DAYS)
    array = group.create_array("time", shape=(DAYS,), dtype="int64", dimension_names=("time",))
    array.attrs["units"] = "days since 2015-01-01"
    array[:] = days

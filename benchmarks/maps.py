"""A year of a half-degree globe in five variables, read and reduced piece by piece.

Files as ISIMIP3a has them (one for a variable, deflated, a piece for each day) are read by
`read_isimip`, and become means of months and of the year, and a zarr store by way of `daily_map`.
Each runs in a process of its own, whose memory is its peak.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.harness import Report, Row, Scale

GIGABYTES = 3.0
ROWS, COLUMNS = 360, 720
# By the file's name the unit, the mean and the spread of what is written.
WEATHER = {
    "pr": ("kg m-2 s-1", 3e-5, 3e-5),
    "tas": ("K", 285.0, 15.0),
    "rsds": ("W m-2", 180.0, 60.0),
    "hurs": ("%", 70.0, 15.0),
    "ps": ("Pa", 98_000.0, 2_000.0),
}
_READ = """
import json, resource, sys, time
from pathlib import Path
from diffhydro.data.readers.isimip import read_isimip
from diffhydro.data.daily_maps import daily_map

start = time.perf_counter()
found = read_isimip(Path(sys.argv[1]))
opened = time.perf_counter() - start
if sys.argv[2] == "means":
    months = found.groupby("time.month").mean()
    months.load()
    found.mean("time").load()
else:
    daily_map(found, per_day=1).to_zarr(sys.argv[3])
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps([peak / 1e9, opened, time.perf_counter() - start]))
"""


def measure(scale: Scale) -> Report:
    days = scale.pick(365, 31)
    rows, notes = [], []
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "isimip"
        files.mkdir()
        _write(files, days)
        size = sum(path.stat().st_size for path in files.iterdir())
        for what, name in (("means", "monthly and annual means"), ("days", "days into zarr")):
            gigabytes, opened, seconds = _run(files, what, Path(folder) / "out.zarr")
            rows.append(Row(f"memory, {name}", gigabytes, GIGABYTES, unit="GB"))
            notes.append(f"{name}: {seconds:.0f} s, of which {opened:.2f} s to open")
    values = days * ROWS * COLUMNS * len(WEATHER)
    notes.insert(
        0,
        f"{days} days × {ROWS} × {COLUMNS} cells × {len(WEATHER)} variables: "
        f"{values * 4 / 1e9:.1f} GB as single precision, {size / 1e9:.2f} GB on disk",
    )
    return Report(rows, notes, {})


def _run(files: Path, what: str, out: Path) -> list[float]:
    command = [sys.executable, "-c", _READ, str(files), what, str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _write(folder: Path, days: int) -> None:
    """Write a day at a time; a third of the cells is land."""
    import h5netcdf

    rng = np.random.default_rng(0)
    land = rng.random((ROWS, COLUMNS)) < 1.0 / 3.0
    for name, (unit, mean, spread) in WEATHER.items():
        path = folder / f"20crv3-era5_obsclim_{name}_global_daily_2001_2001.nc"
        with h5netcdf.File(path, "w") as file:
            file.dimensions = {"time": days, "lat": ROWS, "lon": COLUMNS}
            file.create_variable("lat", ("lat",), data=89.75 - 0.5 * np.arange(ROWS))
            file.create_variable("lon", ("lon",), data=-179.75 + 0.5 * np.arange(COLUMNS))
            when = file.create_variable("time", ("time",), data=36_524.0 + np.arange(days))
            when.attrs["units"] = "days since 1901-01-01 00:00:00"
            when.attrs["calendar"] = "proleptic_gregorian"
            values = file.create_variable(
                name,
                ("time", "lat", "lon"),
                np.float32,
                chunks=(1, ROWS, COLUMNS),
                compression="gzip",
                compression_opts=1,
                fillvalue=np.float32(1e20),
            )
            values.attrs["units"] = unit
            for day in range(days):
                field = np.abs(rng.normal(mean, spread, (ROWS, COLUMNS))).astype(np.float32)
                values[day] = np.where(land, field, np.float32(1e20))


if __name__ == "__main__":
    start = time.perf_counter()
    report = measure(Scale(quick="--quick" in sys.argv))
    for row in report.rows:
        print(row, row.passes)
    print(*report.notes, f"{time.perf_counter() - start:.0f} s in all", sep="\n")

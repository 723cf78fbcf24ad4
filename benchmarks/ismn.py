"""A thousand station-years of the International Soil Moisture Network, from text to daily means.

Stations are generated in the layout header and values, each with its own hourly soil moisture over
ten years and a tenth of its records flagged, and read as a user would read them.
"""

import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

from benchmarks.harness import Report, Row, Scale

STATIONS, YEARS = 100, 10
SECONDS = 60.0
_REST = "Probe_20100101_20191231.stm"


def measure(scale: Scale) -> Report:
    from diffhydro.data.readers.ismn import read_ismn

    share = scale.pick(1, 10)  # one station in so many is generated
    stations = STATIONS // share
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "archive"
        lines, size = _write(folder, stations)
        packed = _pack(folder, Path(name) / "archive.zip")
        read_ismn(next(folder.rglob("*.stm")))  # imports xarray
        took = {}
        for what, path in (("folder", folder), ("zip", packed)):
            start = time.process_time()
            found = read_ismn(path)
            took[what] = (time.process_time() - start) * share
            _check(found, stations)
    rows = [
        Row(f"1000 station-years, a {what}", seconds, SECONDS, unit="s")
        for what, seconds in took.items()
    ]
    notes = [
        f"{stations} stations × {YEARS} years, {lines / 1e6:.2f} M lines, {size / 1e6:.0f} MB "
        f"generated and read by one process on one core, {lines * share / took['folder'] / 1e6:.2f}"
        " M lines/s from a folder",
    ]
    if share > 1:
        notes.append(f"seconds are those of one station in {share}, times {share}")
    return Report(rows, notes, {})


def _check(found, stations: int) -> None:
    """Make sure that what was timed was done."""
    assert found.sizes["site"] == stations
    assert float(found["soil_moisture"].notnull().mean()) > 0.9


def _write(folder: Path, stations: int) -> tuple[int, int]:
    """Write an archive; give its lines and bytes."""
    rng = np.random.default_rng(0)
    begin = np.datetime64("2010-01-01T00:00", "m")
    hours = begin + 60 * np.arange(24 * 3652)
    stamps = [str(hour).replace("-", "/").replace("T", " ") for hour in hours]
    size = 0
    for i in range(stations):
        station = f"Station-{i:03d}"
        text = "".join(
            f"{stamp}   {value:.4f} {flag} M\r\n"
            for stamp, value, flag in zip(stamps, *_series(rng, len(hours)), strict=True)
        )
        place = f"{40 + i / 50:.5f} {-90 + i / 50:.5f} 250.00"
        text = f"NET NET {station} {place} 0.05 0.05 Probe\r\n{text}"
        path = folder / "NET" / station / f"NET_NET_{station}_sm_0.050000_0.050000_{_REST}"
        path.parent.mkdir(parents=True)
        path.write_text(text, newline="")
        size += len(text)
    return stations * len(hours), size


def _series(rng: np.random.Generator, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Make soil moisture that wanders, and flags of which a tenth reject."""
    seasons = 0.25 + 0.1 * np.sin(np.arange(length) / 500.0)
    return seasons + 0.01 * rng.random(length), np.where(rng.random(length) < 0.1, "D03", "G")


def _pack(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for path in sorted(folder.rglob("*.stm")):
            packed.write(path, path.relative_to(folder))
    return target

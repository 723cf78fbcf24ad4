"""The part of the demonstration with a whole world: what instruments, and a first model, are worth.

The world is made once and kept in the user's cache folder.
"""

from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np

from diffhydro.app.cache import cache_folder, is_cache_wanted
from diffhydro.app.land_setup import at_sites, set_up
from diffhydro.app.page import Picture, Section
from diffhydro.data.virtual import PRESETS, virtual_earth
from diffhydro.data.virtual.build import RECIPE
from diffhydro.data.virtual.overview import draw_overview
from diffhydro.data.weather import open_weather
from diffhydro.land.budget import budget
from diffhydro.land.observe import probe

SEED = 0
_PRESET = PRESETS["tiny"]
_DEPTH = 50.0  # mm
_CLOSED = 0.05  # mm in two years of single precision
_LEAST_RECORDS = 60


def world(out: Path, report: Callable[[int, int], None]) -> Section:
    """Make the smallest virtual Earth, look at it, and run an untrained model at its stations."""
    folder = virtual_earth(
        _PRESET, SEED, kept(out), lambda done, of, _: report(min(done, of), of + 1)
    )
    figure = draw_overview(folder, out / "world.png")
    products = _read(folder)
    truth, residual, forced = products["truth"]
    with jax.enable_x64(False):
        wbm, lost = _untrained(folder / "stations.nc")
    rows = [
        ("who says what of 5 cm", "sites", "median r", "median RMSE, m³/m³"),
        _row("probes", products["probes"], truth),
        _row("satellite (cells)", products["satellite"], products["skin"]),
        _row("land-model product (cells)", products["land model"], products["skin"]),
        _row("water-balance model, untrained", wbm, truth),
    ]
    checks = {
        "world: every true column closes": residual <= _CLOSED,
        "world: every true step converged": forced == 0,
        "world: the water-balance model closes at every station": lost <= _CLOSED,
    }
    words = (
        "A world whose soil moisture is known, because it was invented: weather, soils and "
        "stations of two years, a satellite, a land-model product, and the truth from fine "
        "Richards columns that no model is shown. docs/virtual-earth.md has the recipe. "
        f"{_PRESET.stations} stations; unaccounted for in a true column at worst "
        f"{residual:.4f} mm in two years, in the model {lost:.4f} mm."
    )
    told = (
        "Maps of climate, rain and soil moisture; two series with probe, satellite and truth; "
        "histograms."
    )
    return Section("A virtual Earth", [words], [Picture(figure, told)], [rows], checks)


def kept(out: Path) -> Path:
    """Give the folder in which the world is kept."""
    name = f"{_PRESET.name}-{SEED}-recipe{RECIPE}"
    return (cache_folder().parent / "virtual" if is_cache_wanted() else out / "virtual") / name


def _read(folder: Path) -> dict:
    import xarray as xr

    def cells(name: str) -> "xr.Dataset":
        return xr.open_zarr(folder / f"{name}.zarr", chunks=None, consolidated=False)

    def stations(name: str) -> "xr.Dataset":
        return xr.open_dataset(folder / f"{name}.nc", engine="h5netcdf")

    true = stations("stations_truth"), cells("truth")
    residual = max(float(np.abs(x["budget_residual"]).max()) for x in true)
    forced = sum(float(x["forced_steps"].sum()) for x in true)
    surface = true[0]["soil_moisture"].isel(depth=0).values
    return {
        "truth": (surface, residual, forced),
        "skin": true[1]["skin_moisture"].values,
        "probes": stations("stations")["soil_moisture"].isel(depth=0).values,
        "satellite": cells("satellite")["soil_moisture"].isel(depth=0).values,
        "land model": cells("land_model")["soil_moisture"].isel(depth=0).values,
    }


def _untrained(path: Path) -> tuple[np.ndarray, float]:
    """Run the water-balance model as it is at every station; also give what it cannot account."""
    weather = open_weather(path)
    single = np.dtype("float32")
    setup = set_up("wbm", weather, {}, single)
    model, paths = at_sites(setup, np.arange(len(weather.sites)))
    forcing = weather.block(slice(None), slice(None), setup.series, single)
    run = model.simulate(forcing, by_site=paths)
    return np.asarray(probe(run, _DEPTH)), float(np.abs(budget(run).residual).max())


def _row(name: str, said: np.ndarray, true: np.ndarray) -> tuple[str, ...]:
    scores = []
    for a, b in zip(said, true, strict=True):
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= _LEAST_RECORDS and a[both].std() > 0 and b[both].std() > 0:
            gap = a[both] - b[both]
            scores.append((np.corrcoef(a[both], b[both])[0, 1], np.sqrt(np.mean(gap**2))))
    r, rmse = np.median(scores, axis=0)
    return name, str(len(scores)), f"{r:.2f}", f"{rmse:.3f}"

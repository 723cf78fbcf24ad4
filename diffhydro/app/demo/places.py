"""The part of the demonstration that leaves the single column: a dozen climates, two models."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from diffhydro.app.land_setup import at_sites, set_up
from diffhydro.app.page import Picture, Section
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.weather import Weather
from diffhydro.land.budget import budget
from diffhydro.land.observe import layer_mean
from diffhydro.land.trajectory import Trajectory
from diffhydro.picture import COLOURS, blank_figure, save

_SHOWN = ("oceanic meadow", "mediterranean scrub", "monsoon cropland")
_BALANCE = 1e-10  # of the throughput
_DASHES = ("-", "--", "-.")


def places(out: Path, report: Callable[[int, int], None]) -> Section:
    """Run the water-balance model and HBV at every embedded place for three years."""
    weather = Weather(embedded_weather(), "the embedded weather")
    runs = {}
    for number, name in enumerate(("wbm", "hbv")):
        setup = set_up(name, weather, {}, np.dtype("float64"))
        sites = np.arange(len(weather.sites))
        model, paths = at_sites(setup, sites)
        every = slice(None)
        forcing = weather.block(every, every, setup.series, np.dtype("float64"))
        runs[name] = model.simulate(forcing, by_site=paths or None)
        report(number + 1, 2)
    books = {name: budget(run) for name, run in runs.items()}
    worst = {name: float(np.max(book.relative)) for name, book in books.items()}
    wbm = runs["wbm"]
    moisture = np.asarray(layer_mean(wbm, 0.0, 100.0))
    years = moisture.shape[1] / 365.0
    taken = ("evaporation", "transpiration", "interception", "sublimation")
    gone = np.sum([getattr(books["wbm"], name) for name in taken], axis=0)
    runoff = [np.asarray(books[n].runoff + books[n].drainage) for n in ("wbm", "hbv")]
    head = ("place", "rain, mm/a", "evaporation", "outflow", "outflow, HBV", "θ of 10 cm")
    rain = np.asarray(books["wbm"].precipitation)
    rows = [
        (
            str(site),
            *(f"{x[i] / years:.0f}" for x in (rain, gone, *runoff)),
            f"{moisture[i].mean():.2f}",
        )
        for i, site in enumerate(weather.sites)
    ]
    checks = {f"places: {name} closes at every place": x <= _BALANCE for name, x in worst.items()}
    figure = out / "places.png"
    _draw(weather, wbm, figure)
    words = (
        "Three invented years in twelve climates, through the water-balance model (canopy, snow, "
        "six layers or a wetland) and HBV, with default parameters and soils from texture. "
        f"Unaccounted for at the worst place: {max(worst.values()):.0e} of what moved."
    )
    told = "Soil moisture of the top 10 cm through three years at three of the places."
    picture = Picture(figure, told)
    return Section("A dozen places, two models", [words], [picture], [[head, *rows]], checks)


def _draw(weather: Weather, run: Trajectory, target: Path) -> None:
    names = [str(site) for site in weather.sites]
    moisture = np.asarray(layer_mean(run, 0.0, 100.0))
    days = weather.times.astype("datetime64[D]")
    figure, context = blank_figure((9.0, 3.6))
    with context:
        axes = figure.subplots()
        for name, colour, dash in zip(_SHOWN, COLOURS, _DASHES, strict=False):
            axes.plot(days, moisture[names.index(name)], color=colour, ls=dash, lw=1.2, label=name)
        axes.set(ylabel="soil moisture of 0 to 10 cm, m³/m³")
        axes.legend(loc="upper right", ncols=3)
        axes.margins(y=0.2)
        save(figure, target)

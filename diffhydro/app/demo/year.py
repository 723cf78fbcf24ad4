"""A year of weather on two horizons with roots, and its books."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from diffhydro.app.demo.column import effort, forced, model, weather
from diffhydro.app.page import Picture, Section
from diffhydro.land.budget import budget
from diffhydro.land.forcing import Forcing
from diffhydro.land.observe import probe
from diffhydro.land.trajectory import Trajectory
from diffhydro.picture import COLOURS, blank_figure, save

_DEPTHS = (50.0, 200.0, 500.0)  # mm, of the probes
_BALANCE = 1e-10  # of the throughput


def year(out: Path, report: Callable[[int, int], None]) -> Section:
    """Run a year and close its books."""
    rain = weather(365)
    column = model()
    run = column.run(rain)
    books = budget(run)
    count = int(forced(run))
    terms = {name: float(getattr(books, name)) for name in ("precipitation", *_GONE)}
    changes = {f"change of {name}": float(x) for name, x in books.storage_change.items()}
    table = [
        ("term", "mm"),
        *((name, f"{value:.2f}") for name, value in (terms | changes).items()),
        ("not accounted for", f"{float(books.residual):.1e}"),
        ("share of throughput", f"{float(books.relative):.1e}"),
        ("sub-steps in 365 days", f"{int(effort(run).substeps.sum())}"),
        ("steps not converged", f"{count}"),
    ]
    checks = {
        "year: water budget closes": float(books.relative) <= _BALANCE,
        "year: every step converged": count == 0,
    }
    figure = out / "year.png"
    _draw_year(rain, run, figure)
    words = (
        "Synthetic daily weather (drawn with a fixed seed) on loam to 30 cm over sandy clay loam "
        f"to 1.5 m, {column.grid.layers} layers, roots to 60 cm."
    )
    told = "Rain, and soil moisture at 5, 20 and 50 cm, through the year."
    title = "A year of weather on two horizons with roots"
    return Section(title, [words], [Picture(figure, told)], [table], checks)


_GONE = ("evaporation", "transpiration", "runoff", "drainage")


def _draw_year(weather: Forcing, run: Trajectory, target: Path) -> None:
    figure, context = blank_figure((9.0, 5.6))
    with context:
        rain, moist = figure.subplots(2, 1, sharex=True, height_ratios=[1.0, 2.2])
        days = np.arange(1, weather.length + 1)
        rain.bar(days, np.asarray(weather.precipitation), width=1.0, color=COLOURS[0])
        rain.set(ylabel="rain, mm/day")
        for depth, colour, dash in zip(_DEPTHS, COLOURS, ("-", "--", "-."), strict=False):
            series = np.asarray(probe(run, depth))
            label = f"{depth / 10:g} cm"
            moist.plot(days, series, color=colour, ls=dash, lw=1.5, label=label)
        moist.set(xlabel="day of the year", ylabel="soil moisture θ, m³/m³", xlim=(0, len(days)))
        moist.legend(title="depth", loc="upper right", ncols=3)
        moist.margins(y=0.18)
        save(figure, target)

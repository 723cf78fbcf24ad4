"""A picture of a virtual Earth: where things are, what they look like in time, how they spread."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.koppen import CLASSES
from diffhydro.data.places import distance
from diffhydro.picture import COLOURS, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_MAIN = {"A": "#1b7837", "B": "#dfa03a", "C": "#8cc665", "D": "#4f8fc4", "E": "#b8b8c8"}
_MAIN_NAMES = {"A": "tropical", "B": "dry", "C": "temperate", "D": "continental", "E": "polar"}
_BLUE, _RED, _GREEN, _PINK = COLOURS[:4]
_DAYS = 365


def draw_overview(folder: Path, target: Path) -> Path:
    """Draw the overview of a folder that `virtual_earth` made."""
    import xarray as xr

    figure, context = blank_figure((15.0, 12.5))
    with context:
        axes = figure.subplot_mosaic(
            [
                ["climate", "climate", "rain", "rain"],
                ["moisture", "moisture", "swing", "swing"],
                ["series0", "series0", "series1", "series1"],
                ["months", "spells", "spread", "agree"],
            ],
            height_ratios=[1.25, 1.25, 1.0, 1.0],
        )
        with (
            xr.open_zarr(folder / "cells.zarr", chunks=None, consolidated=False) as cells,
            xr.open_zarr(folder / "truth.zarr", chunks=None, consolidated=False) as truth,
            xr.open_zarr(folder / "satellite.zarr", chunks=None, consolidated=False) as seen,
            xr.open_dataset(folder / "stations.nc", engine="h5netcdf") as stations,
            xr.open_dataset(folder / "stations_truth.nc", engine="h5netcdf") as at_stations,
        ):
            _climates(axes["climate"], cells, stations)
            yearly = 365.25 * cells["precipitation"].mean("time")
            _map(figure, axes["rain"], cells, yearly, "rain, mm a year", "YlGnBu", (0, 2200))
            skin = truth["skin_moisture"]
            _map(
                figure, axes["moisture"], cells, skin.mean("time"),
                "true soil moisture of the upper 5 cm, mean, m³/m³", "BrBG", (0.05, 0.5),
            )  # fmt: skip
            _map(
                figure, axes["swing"], cells, skin.std("time"),
                "its standard deviation in time, m³/m³", "magma_r", (0.0, 0.12),
            )  # fmt: skip
            for panel, number in (
                ("series0", _typical(stations, 0.7)),
                ("series1", _typical(stations, 0.25)),
            ):
                _series(axes[panel], number, stations, at_stations, seen)
            _months(axes["months"], cells)
            _spells(axes["spells"], cells)
            _spread(axes["spread"], skin, seen, stations)
            _agreement(axes["agree"], skin, seen, stations, at_stations)
        figure.suptitle("A virtual Earth: everything in it is invented", x=0.01, ha="left")
        save(figure, target)
    return target


def _legend(axes: Any, **options: Any) -> None:
    if axes.get_legend_handles_labels()[0]:
        axes.legend(**options)


def _size(cells: "xr.Dataset") -> float:
    """Give the size of a marker that fills a cell, points²."""
    rows = np.unique(cells["latitude"].values)
    spacing = float(np.diff(rows).min()) if rows.size > 1 else 1.0
    return max(1.2, (1.45 * spacing) ** 2)


def _globe(axes: Any) -> None:
    axes.set(xlim=(-180, 180), ylim=(-58, 80), xticks=[], yticks=[], facecolor="#f4f7fa")
    axes.grid(visible=False)
    axes.set_aspect("equal")


def _climates(axes: Any, cells: "xr.Dataset", stations: "xr.Dataset") -> None:
    letters = np.array([CLASSES[int(code) - 1][0] for code in cells["climate"].values])
    for letter, colour in _MAIN.items():
        chosen = letters == letter
        label = f"{_MAIN_NAMES[letter]}, {100 * chosen.mean():.0f} % of cells"
        axes.scatter(
            cells["longitude"][chosen], cells["latitude"][chosen], s=_size(cells), marker="s",
            color=colour, linewidths=0, label=label,
        )  # fmt: skip
    axes.scatter(
        stations["longitude"], stations["latitude"], s=9, color="black", linewidths=0,
        label=f"{stations.sizes['site']} stations",
    )  # fmt: skip
    _globe(axes)
    _legend(axes, loc="lower left", fontsize=7.5, markerscale=1.0)
    axes.set_title("climate")


def _map(
    figure: Any, axes: Any, cells: "xr.Dataset", values: Any, title: str, colours: str, ends: tuple
) -> None:
    drawn = axes.scatter(
        cells["longitude"], cells["latitude"], c=values, s=_size(cells), marker="s", linewidths=0,
        cmap=colours, vmin=ends[0], vmax=ends[1],
    )  # fmt: skip
    _globe(axes)
    axes.set_title(title)
    figure.colorbar(drawn, ax=axes, fraction=0.025, pad=0.01)


def _typical(stations: "xr.Dataset", rank: float) -> int:
    """Choose a well-observed station by its rank in wetness."""
    surface = stations["soil_moisture"].isel(depth=0)
    share = surface.notnull().mean("time").values
    mean = surface.mean("time").values
    good = np.flatnonzero(share >= np.quantile(share, 0.5))
    order = good[np.argsort(mean[good])]
    return int(order[int(rank * (len(order) - 1))])


def _series(
    axes: Any, number: int, stations: "xr.Dataset", truth: "xr.Dataset", seen: "xr.Dataset"
) -> None:
    from matplotlib.dates import ConciseDateFormatter

    one, true = (x.isel(site=number, time=slice(-_DAYS, None)) for x in (stations, truth))
    apart = distance(
        one["latitude"].values,
        one["longitude"].values,
        seen["latitude"].values,
        seen["longitude"].values,
    )
    cell = seen.isel(site=int(np.argmin(apart)), time=slice(-_DAYS, None))
    time = one["time"].values
    axes.plot(time, true["soil_moisture"].isel(depth=0), color="0.6", lw=2.2, label="true, 5 cm")
    axes.plot(time, one["soil_moisture"].isel(depth=0), color=_BLUE, lw=0.9, label="probe, 5 cm")
    axes.plot(time, true["soil_moisture"].isel(depth=3), color=_GREEN, lw=1.2, label="true, 50 cm")
    axes.plot(time, cell["soil_moisture"].isel(depth=0), ".", ms=3.0, color=_RED, label="satellite")
    axes.set(ylabel="θ, m³/m³", ylim=(0.0, 0.6), xlim=(time[0], time[-1]))
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.set_title(f"{one['site'].item()}, {CLASSES[int(one['climate']) - 1]}")
    _legend(axes, ncols=4, fontsize=7.5, loc="upper left")
    rain = axes.twinx()
    rain.bar(time, one["precipitation"], width=1.0, color=_BLUE, alpha=0.45)
    rain.set(ylim=(150.0, 0.0), ylabel="rain, mm/day")
    rain.grid(visible=False)


def _months(axes: Any, cells: "xr.Dataset") -> None:
    letters = np.array([CLASSES[int(code) - 1][0] for code in cells["climate"].values])
    north = cells["latitude"].values > 0
    for letter, colour in _MAIN.items():
        chosen = np.flatnonzero((letters == letter) & north)
        if len(chosen):
            some = cells["precipitation"].isel(site=chosen).mean("site")
            monthly = some.groupby("time.month").mean()
            axes.plot(monthly["month"], monthly, color=colour, label=_MAIN_NAMES[letter])
    axes.set(xlabel="month", ylabel="rain, mm/day", xticks=[1, 4, 7, 10])
    axes.set_title("seasons, northern half")
    _legend(axes, fontsize=7.5)


def _spells(axes: Any, cells: "xr.Dataset") -> None:
    wet = cells["precipitation"].values > 1.0
    for state, colour, label in ((True, _BLUE, "wet"), (False, _RED, "dry")):
        lengths = np.concatenate([_runs(row == state) for row in wet])
        days = np.arange(1, 31)
        longer = np.array([(lengths >= day).mean() for day in days])
        axes.semilogy(days, np.maximum(longer, 1e-5), color=colour, label=label)
    axes.set(xlabel="days", ylabel="share of spells at least so long", ylim=(1e-4, 1.2))
    axes.set_title("spells (wet: over 1 mm)")
    _legend(axes, fontsize=7.5)


def _runs(state: np.ndarray) -> np.ndarray:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], state.astype(int), [0]])))
    return edges[1::2] - edges[::2]


def _spread(axes: Any, skin: Any, seen: "xr.Dataset", stations: "xr.Dataset") -> None:
    bins = np.linspace(0.0, 0.65, 60)
    for values, colour, label in (
        (skin.values, "0.5", "true, cells"),
        (seen["soil_moisture"].values, _RED, "satellite"),
        (stations["soil_moisture"].isel(depth=0).values, _BLUE, "probes, 5 cm"),
    ):
        flat = values[np.isfinite(values)]
        if flat.size == 0:
            continue
        axes.hist(flat, bins, density=True, histtype="step", color=colour, label=label)
    axes.set(xlabel="θ, m³/m³", yticks=[])
    axes.set_title("how soil moisture spreads")
    _legend(axes, fontsize=7.5)


def _agreement(
    axes: Any, skin: Any, seen: "xr.Dataset", stations: "xr.Dataset", truth: "xr.Dataset"
) -> None:
    pairs = (
        (seen["soil_moisture"].isel(depth=0).values, skin.values, _RED, "satellite"),
        (
            stations["soil_moisture"].isel(depth=0).values,
            truth["soil_moisture"].isel(depth=0).values,
            _BLUE,
            "probes",
        ),
    )
    for said, true, colour, label in pairs:
        found = _correlations(said, true)
        if len(found):
            label = f"{label}, median r {np.median(found):.2f}"
            axes.hist(
                found,
                np.linspace(0, 1, 41),
                density=True,
                histtype="step",
                color=colour,
                label=label,
            )
    axes.set(xlabel="correlation with the truth", yticks=[])
    axes.set_title("what instruments are worth")
    _legend(axes, fontsize=7.5, loc="upper left")


def _correlations(said: np.ndarray, true: np.ndarray) -> np.ndarray:
    found = []
    for a, b in zip(said, true, strict=True):
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() >= 60 and a[both].std() > 0 and b[both].std() > 0:
            found.append(np.corrcoef(a[both], b[both])[0, 1])
    return np.array(found)

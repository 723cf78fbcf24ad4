"""A picture of a simulation: soil moisture, fluxes, and the books of some sites."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.picture import COLOURS, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_SHOWN = 3  # sites
_LEAVING = ("runoff", "drainage", "evaporation", "transpiration", "interception", "sublimation")
_COLOUR: dict[str, str] = dict(zip(_LEAVING, COLOURS, strict=False))


def draw(out: Path) -> Path:
    """Draw some sites of a result, and return the picture's path."""
    from matplotlib.dates import ConciseDateFormatter

    with _opened(out) as found:
        site = next(str(d) for d in found["runoff"].dims if d != "time")
        shown = min(_SHOWN, found.sizes[site])
        figure, context = blank_figure((5.0 * shown, 8.0))
        with context:
            axes = figure.subplots(3, shown, sharex="row", squeeze=False)
            chosen = np.linspace(0, found.sizes[site] - 1, shown).round().astype(int)
            for column, number in enumerate(chosen):
                one = found.isel({site: number}).load()
                moist, flow, books = axes[:, column]
                moist.set_title(str(one[site].values) if site in one.coords else f"site {number}")
                _moisture(moist, one)
                _flows(flow, one)
                _books(books, one)
                for panel in axes[:, column]:
                    panel.xaxis.set_major_formatter(
                        ConciseDateFormatter(panel.xaxis.get_major_locator())
                    )
            target = out.with_name(out.name + ".png")
            save(figure, target)
    return target


def _opened(out: Path) -> "xr.Dataset":
    import xarray as xr

    if out.suffix == ".nc":
        return xr.open_dataset(out, engine="h5netcdf", chunks=None)
    return xr.open_zarr(out, chunks=None, consolidated=False)


def _moisture(axes, one: "xr.Dataset") -> None:
    if "theta" not in one:
        axes.text(0.5, 0.5, "a bucket model has no θ", ha="center", transform=axes.transAxes)
        return
    depth = np.cumsum(one["layer_thickness"].values)
    chosen = np.unique(np.searchsorted(depth, (50.0, 200.0, 1000.0)).clip(0, len(depth) - 1))
    for layer in chosen:
        top = depth[layer] - one["layer_thickness"].values[layer]
        label = f"{top:.0f} to {depth[layer]:.0f} mm"
        axes.plot(one["time"], one["theta"][:, layer], lw=0.8, label=label)
    axes.set_ylabel("soil moisture θ, m³/m³")
    axes.legend(fontsize="small")


def _flows(axes, one: "xr.Dataset") -> None:
    for name, colour in _COLOUR.items():
        if name in one:
            monthly = one[name].resample(time="MS").sum()
            axes.plot(monthly["time"], monthly, color=colour, lw=1.2, label=name)
    axes.set_ylabel("flux, mm per month")
    axes.legend(fontsize="small")


def _books(axes, one: "xr.Dataset") -> None:
    """Stack what left; the distance to the rain is what is in store."""
    left = [name for name in _LEAVING if name in one]
    sums = [one[name].cumsum("time") for name in left]
    axes.stackplot(one["time"], *sums, colors=[_COLOUR[n] for n in left], labels=left)
    total = one["precipitation"].cumsum("time")
    axes.plot(one["time"], total, color="black", lw=1.2, label="precipitation")
    axes.set_ylabel("since the start, mm\n(what leaves, against the rain)")
    axes.legend(fontsize="small", loc="upper left")

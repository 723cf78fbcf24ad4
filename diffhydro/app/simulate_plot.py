"""A picture of a simulation: soil moisture, fluxes, and the books of some sites."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_SHOWN = 3  # sites
_COLOURS = {  # of Okabe & Ito, which colour-blind people can tell apart
    "precipitation": "#56B4E9",
    "runoff": "#0072B2",
    "drainage": "#009E73",
    "evaporation": "#E69F00",
    "transpiration": "#D55E00",
    "interception": "#CC79A7",
    "sublimation": "#999999",
}


def draw(out: Path) -> Path:
    """Draw some sites of a result, and return the picture's path."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        raise InputError("--plot needs matplotlib; install diffhydro-jax[plot]") from error
    mpl.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.dates import ConciseDateFormatter

    with _opened(out) as found:
        site = next(str(d) for d in found["runoff"].dims if d != "time")
        shown = min(_SHOWN, found.sizes[site])
        figure, axes = plt.subplots(
            3, shown, figsize=(5.0 * shown, 8.0), sharex="row", squeeze=False, layout="constrained"
        )
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
        part = target.with_name(f".{target.name}")
        figure.savefig(part, dpi=120, format="png")
        plt.close(figure)
        part.replace(target)
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
    axes.legend(fontsize="small", frameon=False)


def _flows(axes, one: "xr.Dataset") -> None:
    for name, colour in _COLOURS.items():
        if name in one and name != "precipitation":
            monthly = one[name].resample(time="MS").sum()
            axes.plot(monthly["time"], monthly, color=colour, lw=1.2, label=name)
    axes.set_ylabel("flux, mm per month")
    axes.legend(fontsize="small", frameon=False)


def _books(axes, one: "xr.Dataset") -> None:
    """Stack what left; the distance to the rain is what is in store."""
    left = [name for name in _COLOURS if name in one and name != "precipitation"]
    sums = [one[name].cumsum("time") for name in left]
    axes.stackplot(one["time"], *sums, colors=[_COLOURS[n] for n in left], labels=left)
    total = one["precipitation"].cumsum("time")
    axes.plot(one["time"], total, color="black", lw=1.2, label="precipitation")
    axes.set_ylabel("since the start, mm\n(what leaves, against the rain)")
    axes.legend(fontsize="small", frameon=False, loc="upper left")

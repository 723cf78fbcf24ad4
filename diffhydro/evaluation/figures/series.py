"""Series of models against what was observed, a panel for each site, with the rain above."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.figures.maps import label_of, pretty
from diffhydro.evaluation.sensitivity.figures.frame import time_axis
from diffhydro.picture import COLOURS, DASHES, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_RAIN = COLOURS[4]


def draw_series(
    observed: "xr.DataArray",
    models: Mapping[str, "xr.DataArray"],
    target: Path,
    *,
    rain: "xr.DataArray | None" = None,
    sites: tuple[str, ...] | None = None,
    label: str = "",
) -> None:
    """Draw series `[site, time]`.

    Args:
        models: By name, over the sites and times of their own; those of the panels are taken.
        rain: mm/day, hanging from the top.
        sites: Names, one panel each; the first four by default.
        label: What the series are, with their unit.
    """
    names = tuple(str(n) for n in observed["site"].values)
    chosen = names[:4] if sites is None else sites
    given = {"observed": observed, **models} | ({} if rain is None else {"rain": rain})
    for what, one in given.items():
        there = [str(n) for n in one["site"].values] if "site" in one.coords else []
        lacking = [n for n in chosen if n not in there]
        if set(one.dims) != {"site", "time"} or lacking:
            raise InputError(
                f"{what} has no site {', '.join(lacking) or '…'}: series are over site and time, "
                f"and have every site that is drawn; it is over {dict(one.sizes)}"
            )
    figure, context = blank_figure((10.0, 0.7 + 2.0 * len(chosen)))
    with context:
        panels = figure.subplots(len(chosen), 1, sharex=True, squeeze=False)[:, 0]
        for axes, name in zip(panels, chosen, strict=True):
            _panel(axes, observed, models, name)
            axes.set(title=name, ylabel=label or label_of(observed))
            if rain is not None:
                _hang(axes, rain.sel(site=name))
        time_axis(panels[-1], observed["time"].values)
        handles, words = panels[0].get_legend_handles_labels()
        figure.legend(handles, words, loc="outside upper center", ncols=len(words))
        save(figure, target)


def _panel(
    axes: Any, observed: "xr.DataArray", models: Mapping[str, "xr.DataArray"], name: str
) -> None:
    seen = observed.sel(site=name)
    axes.plot(seen["time"], seen, ".", ms=2.6, color="0.15", label="observed", zorder=3)
    for place, (model, series) in enumerate(models.items()):
        one = series.sel(site=name)
        axes.plot(
            one["time"], one, color=COLOURS[place % len(COLOURS)], lw=1.3, label=model,
            ls=DASHES[place % len(DASHES)],
        )  # fmt: skip


def _hang(axes: Any, rain: "xr.DataArray") -> None:
    above = axes.twinx()
    above.spines["right"].set_visible(True)
    fell = np.nan_to_num(rain.values.astype(np.float64))
    above.vlines(rain["time"].values, 0.0, fell, color=_RAIN, lw=1.2)
    most = max(float(fell.max(initial=0.0)), 1.0)
    above.set_ylim(3.0 * most, 0.0)
    above.set_yticks([0.0, float(f"{most:.1g}")])
    above.grid(visible=False)
    above.set_ylabel(f"rain, {pretty('mm day-1')}", loc="top", fontsize=8.5)
    axes.set_zorder(above.get_zorder() + 1)
    axes.patch.set_visible(False)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))

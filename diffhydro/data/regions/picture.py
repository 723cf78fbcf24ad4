"""A picture of regions: where they lie, how large they are, their climates, and why so many.

Colours can be told apart by colour-blind readers as far as twenty can: Okabe and Ito's first, then
Tol's muted ones. They are listed once more, with numbers, by the bars of the clusters' sizes.
"""

from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.data.regions.features import Features
from diffhydro.data.regions.koppen import MAIN
from diffhydro.data.regions.regions import Regions
from diffhydro.data.regions.votes import Scan
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure, save

COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#332288", "#DDCC77",
    "#882255", "#44AA99", "#999933", "#CC6677", "#117733", "#AA4499", "#88CCEE", "#F0E442",
    "#8C510A", "#7F7F7F", "#661100", "#6699CC",
)  # fmt: skip
# Others than those of the regions, told apart by lightness too.
_CLIMATE = {"A": "#1F4E5F", "B": "#EBC65B", "C": "#79A86B", "D": "#A98BB8", "E": "#D5D8DC"}
_INK, _MARK, _SEA = "0.25", "#D55E00", "0.94"
_FEW = 12  # places in a spot: the number is written above them, not on them
_SPARSE = 12  # cells of the bounding grid per place; beyond it places are drawn as points


def plot_regions(
    regions: Regions,
    places: Features,
    target: Path,
    *,
    sites: Features | None = None,
    climate: np.ndarray | None = None,
) -> Path:
    """Draw regions into `target`, a PNG that is whole or absent.

    Args:
        places: Those that were clustered, with latitude and longitude.
        sites: Those that were assigned, likewise.
        climate: Shares `[cluster, main class]`, as `climate_shares` gives them.
    """
    _check(regions, places, sites)
    figure, context = blank_figure((11.0, 8.2))
    with context:
        panels = ["sizes"]
        panels += ["climate"] if climate is not None else []
        panels += ["silhouette"] if regions.scan is not None else []
        wide = ["map"] * len(panels)
        lower = [p if p != "silhouette" else "votes" for p in panels]
        axes = figure.subplot_mosaic(
            [wide, panels, lower],
            height_ratios=[2.3, 0.6, 0.6],
            width_ratios=[{"sizes": 0.8}.get(p, 1.0) for p in panels],
        )
        _map(axes["map"], regions, places, sites)
        _sizes(axes["sizes"], regions, sites is not None)
        if climate is not None:
            _climates(axes["climate"], climate)
        if regions.scan is not None:
            _scan(axes["silhouette"], axes["votes"], regions.scan, len(regions))
        save(figure, target)
    return target


def _check(regions: Regions, places: Features, sites: Features | None) -> None:
    for what, given, labels in (
        ("places", places, regions.labels),
        ("sites", sites, regions.site_labels),
    ):
        if given is None:
            continue
        if len(given) != len(labels):
            raise InputError(f"{len(given)} {what}, but the regions have labels for {len(labels)}")
        if given.latitude is None or given.longitude is None:
            raise InputError(f"{what} have no latitude and longitude; a map needs them")


def _colours(clusters: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(clusters)]


def _map(axes: Any, regions: Regions, places: Features, sites: Features | None) -> None:
    from matplotlib.colors import ListedColormap

    latitude, longitude = places.latitude, places.longitude
    assert latitude is not None
    assert longitude is not None
    colours = _colours(len(regions))
    rows, columns = _axis(latitude), _axis(longitude)
    if len(rows) * len(columns) <= _SPARSE * len(places):
        image = np.full((len(rows), len(columns)), np.nan)
        image[_at(rows, latitude), _at(columns, longitude)] = regions.labels
        colourmap = ListedColormap(colours)
        axes.pcolormesh(
            columns, rows, image, cmap=colourmap, vmin=-0.5, vmax=len(regions) - 0.5,
            shading="nearest", rasterized=True,
        )  # fmt: skip
    else:
        shades = np.array(colours)[regions.labels]
        axes.scatter(longitude, latitude, c=shades, s=34, lw=0.6, ec="white")
    if sites is not None:
        shades = np.array(colours)[regions.site_labels]
        axes.scatter(sites.longitude, sites.latitude, c=shades, s=17, lw=0.9, ec="black", zorder=3)
    middle = 0.5 * (latitude.min() + latitude.max())
    # Degrees of longitude shrink towards the poles; a whole globe is drawn plain.
    axes.set_aspect(1.0 if np.ptp(latitude) > 90.0 else 1.0 / np.cos(np.radians(middle)))
    axes.set(facecolor=_SEA, title=_title(regions, places, sites))
    axes.grid(True, color="white")
    _number_map(axes, regions, latitude, longitude)
    _degrees(axes.xaxis, np.ptp(longitude), "E", "W")
    _degrees(axes.yaxis, np.ptp(latitude), "N", "S")


def _number_map(axes: Any, regions: Regions, latitude: np.ndarray, longitude: np.ndarray) -> None:
    """Write each region's number where its places lie closest."""
    from matplotlib.patheffects import withStroke

    edges = [np.linspace(x.min(), x.max() + 1e-6, n) for x, n in ((latitude, 13), (longitude, 25))]
    row, column = (np.digitize(x, e) for x, e in zip((latitude, longitude), edges, strict=True))
    block = row * 100 + column
    for number in range(len(regions)):
        own = regions.labels == number
        if not own.any():
            continue
        here = own & (block == np.bincount(block[own]).argmax())
        axes.annotate(
            str(number), (np.median(longitude[here]), np.median(latitude[here])),
            xytext=(0, 7) if here.sum() < _FEW else (0, 0), textcoords="offset points",
            ha="center", va="center", fontsize=10, weight="bold", zorder=4,
            path_effects=[withStroke(linewidth=2.4, foreground="white")],
        )  # fmt: skip


def _degrees(axis: Any, span: float, above: str, below: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

    whole = span > 120.0
    axis.set_major_locator(MultipleLocator(30.0) if whole else MaxNLocator(8))
    signs = {1.0: above, -1.0: below, 0.0: ""}
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(x):g}°{signs[float(np.sign(x))]}"))


def _axis(values: np.ndarray) -> np.ndarray:
    """Give the rows or columns of the grid that places lie on, also those without a place."""
    found = np.unique(values)
    steps = np.diff(found)
    if len(steps) and np.allclose(steps / steps.min(), np.round(steps / steps.min()), atol=0.05):
        return np.linspace(found[0], found[-1], round(np.ptp(found) / steps.min()) + 1)
    return found


def _at(axis: np.ndarray, values: np.ndarray) -> np.ndarray:
    if len(axis) == 1:
        return np.zeros(len(values), np.intp)
    return np.searchsorted(0.5 * (axis[1:] + axis[:-1]), values)


def _title(regions: Regions, places: Features, sites: Features | None) -> str:
    error = f" ± {regions.silhouette_error:.3f}" if regions.silhouette_error else ""
    among = f", {len(sites)} sites (dots)" if sites is not None else ""
    return (
        f"{len(regions)} regions of {len(places):,} places{among}; "
        f"mean silhouette {regions.silhouette:.3f}{error}"
    )


def _sizes(axes: Any, regions: Regions, has_sites: bool) -> None:
    sizes = regions.sizes
    at = np.arange(len(regions))
    axes.barh(at, sizes, color=_colours(len(regions)), height=0.8)
    for i, size in enumerate(sizes):
        sites = f" · {regions.site_sizes[i]}" if has_sites else ""
        axes.text(size, i, f" {size:,}{sites}", va="center", fontsize=8, color=_INK)
    _number_clusters(axes, len(regions))
    axes.set_xlim(0, 1.38 * sizes.max())
    axes.set(xlabel="places", title="places · sites" if has_sites else "places")
    axes.locator_params(axis="x", nbins=4)


def _climates(axes: Any, shares: np.ndarray) -> None:
    left = np.zeros(len(shares))
    known = np.nan_to_num(shares)
    for column, (name, colour) in enumerate(_CLIMATE.items()):
        wide = known[:, column]
        axes.barh(np.arange(len(shares)), wide, left=left, color=colour, height=0.8, label=name)
        left = left + wide
    _number_clusters(axes, len(shares))
    axes.set_xlim(0.0, 1.0)
    axes.set_xlabel("share of the places")
    axes.legend(
        ncols=len(MAIN), loc="lower right", bbox_to_anchor=(1.01, 0.985), handlelength=0.9,
        columnspacing=0.9, handletextpad=0.35, borderpad=0.0,
    )  # fmt: skip
    axes.set_title("Köppen class")


def _number_clusters(axes: Any, clusters: int) -> None:
    axes.set_yticks(np.arange(clusters), [str(i) for i in range(clusters)], fontsize=8)
    axes.set_ylim(clusters - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_ylabel("region")


def _scan(above: Any, below: Any, scan: Scan, chosen: int) -> None:
    counts = np.array(scan.counts)
    low, middle, high = np.quantile(scan.silhouette, (0.05, 0.5, 0.95), axis=0)
    above.fill_between(counts, low, high, color=COLOURS[0], alpha=0.2, lw=0)
    above.plot(counts, middle, color=COLOURS[0], lw=1.6)
    here = counts == chosen
    above.plot(counts[here], middle[here], "o", color=_MARK, ms=5)
    above.set(ylabel="silhouette", title=f"{len(scan.silhouette)} starts: median, 5 to 95 %")
    above.tick_params(labelbottom=False)
    above.grid(True)
    below.bar(counts, scan.votes, color=np.where(here, _MARK, "0.75"), width=0.8)
    below.set(ylabel="votes", xlabel="number of clusters")
    for axes in (above, below):
        axes.set_xlim(counts[0] - 0.7, counts[-1] + 0.7)
    below.locator_params(axis="x", integer=True)

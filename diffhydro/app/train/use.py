"""`diffhydro predict` and `evaluate`: a trained model at sites of other data."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from diffhydro._version import __version__
from diffhydro.app.config_reading import checked
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.predicting import predict
from diffhydro.app.train.report import SHOWN
from diffhydro.app.train.table import Table, read_table
from diffhydro.atomic import whole
from diffhydro.core.ensembles import member
from diffhydro.core.model_file import describe, load
from diffhydro.errors import InputError
from diffhydro.evaluation import score


class Opened(NamedTuple):
    """A trained model, and how it was trained.

    Attributes:
        members: How many there are on the first axis; None where there is one, without an axis.
    """

    model: Any
    config: TrainConfig
    members: int | None


def open_trained(path: Path) -> Opened:
    """Open a model file, or the folder of a training."""
    told = describe(path).told
    if "config" not in told:
        raise InputError(
            f"{path} does not say how its model was trained; expected a file or folder that "
            "diffhydro train has written"
        )
    config = checked(TrainConfig, told["config"], str(path))
    names = told.get("members")
    return Opened(load(path), config, None if names is None else len(names))


def predict_into(path: Path, data: Path | None, attributes: Path | None, out: Path) -> None:
    """Predict at all sites of a file, and write the mean and the spread of all members."""
    _, series, spread, table = _predicted(path, data, attributes, is_scored=False)
    import xarray as xr

    axes = {"site": table.data["site"].values, "time": table.data["time"].values}
    held: dict[str, Any] = {
        "soil_moisture": (("site", "time"), series, {"units": "m3 m-3", "long_name": "predicted"})
    }
    if spread is not None:
        held["spread"] = ("site", "time"), spread, {"units": "m3 m-3"}
    found = xr.Dataset(held, axes, {"source": f"diffhydro {__version__}, {path}"})
    with whole(out) as part:
        found.to_netcdf(part, engine="h5netcdf")
    Console().print(f"wrote {out}: {len(axes['site'])} sites", highlight=False, soft_wrap=True)


def evaluate_into(path: Path, data: Path | None, attributes: Path | None, out: Path) -> None:
    """Score a trained model at the sites of a file, and write the scores of each."""
    import xarray as xr

    opened, series, _, table = _predicted(path, data, attributes, is_scored=True)
    predicted = xr.DataArray(series, dims=("site", "time"), coords=table.observed.coords)
    found = score(predicted, table.observed)
    with whole(out) as part:
        found.assign_attrs(source=f"diffhydro {__version__}, {path}").to_netcdf(
            part, engine="h5netcdf"
        )
    if data is None and opened.config.hold_out.by != "nothing":
        Console(stderr=True).print(
            "these are the sites of the training: what was held out is in its scores.nc",
            highlight=False,
        )
    grid = Grid("", *SHOWN, "sites", box=None)
    rows = {"median": 50, "lower quartile": 25, "upper quartile": 75}
    for name, level in rows.items():
        values = [found[one].values for one in SHOWN]
        cells = [f"{np.nanpercentile(x, level):.3f}" for x in values]
        grid.add_row(name, *cells, str(int(np.isfinite(values[0]).sum())))
    Console().print(grid)
    Console().print(f"wrote {out}", highlight=False, soft_wrap=True)


def _predicted(
    path: Path, data: Path | None, attributes: Path | None, *, is_scored: bool
) -> tuple[Opened, np.ndarray, np.ndarray | None, Table]:
    opened = open_trained(path)
    config = opened.config
    given = config.data
    if data is not None:
        files = {"sites": str(data), "attributes": None if attributes is None else str(attributes)}
        given = given.model_copy(update={**files, "only": None})
    table = read_table(config.model, given, config.depth, Path(), is_scored=is_scored)
    days, start = table.data.sizes["time"], config.windows.warm_up
    if days <= start:
        raise InputError(
            f"{given.sites} has {days} days; the model is given {start} days before the first that "
            "it predicts"
        )
    sites = np.arange(table.data.sizes["site"])
    if opened.members is None:
        return opened, predict(opened.model, table, sites, start), None, table
    many = np.stack(
        [predict(member(opened.model, i), table, sites, start) for i in range(opened.members)]
    )
    return opened, many.mean(axis=0), many.std(axis=0), table

"""`diffhydro predict` and `evaluate`: a trained model at sites of other data."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.config_reading import checked, read_yaml
from diffhydro.app.experiment import recipe_of
from diffhydro.app.run_folder import CONFIG
from diffhydro.app.score_table import medians, of_models
from diffhydro.app.screen import grid
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.predicting import predict
from diffhydro.app.train.table import read_table
from diffhydro.atomic import whole
from diffhydro.core.ensembles import member
from diffhydro.core.model_file import describe, load
from diffhydro.errors import InputError
from diffhydro.evaluation import score

if TYPE_CHECKING:
    import xarray as xr

PREDICTED, SPREAD, OBSERVED = "soil_moisture", "spread", "observed"


class Opened(NamedTuple):
    """A trained model, and how it was trained.

    Attributes:
        members: How many there are on the first axis; None where there is one, without an axis.
    """

    model: Any
    config: TrainConfig
    members: int | None


def predict_into(path: Path, data: Path | None, attributes: Path | None, out: Path) -> None:
    """Predict at all sites of a file, and write the mean and the spread of all members."""
    found = predicted(path, data, attributes, is_scored=False)
    found = found.drop_vars(OBSERVED, errors="ignore")
    _write(out, found, path)
    Console().print(f"wrote {out}: {found.sizes['site']} sites", highlight=False, soft_wrap=True)


def evaluate_into(path: Path, data: Path | None, attributes: Path | None, out: Path) -> None:
    """Score a trained model at the sites of a file, and write the scores of each."""
    series = predicted(path, data, attributes, is_scored=True)
    found = score(series[PREDICTED], series[OBSERVED])
    _write(out, found, path)
    if data is None:
        Console(stderr=True).print(
            "these are the sites of the training: what was held out is in its scores.nc",
            highlight=False,
        )
    Console().print(grid(medians(of_models(found))))
    Console().print(f"wrote {out}", highlight=False, soft_wrap=True)


def predicted(
    path: Path, data: Path | None, attributes: Path | None, *, is_scored: bool
) -> "xr.Dataset":
    """Predict at sites of other data, or at those of the training.

    Returns:
        `soil_moisture` and what was `observed`, `[site, time]`; of several members their mean, and
        their `spread`; with a first axis `model` where a study has kept several.
    """
    if (study := _study(path)) is not None:
        if data is None:
            raise InputError("name the stations with --data: a study keeps none of its own")
        return recipe_of(study).predict(path, data, attributes)
    told = describe(path).told
    if "config" not in told:
        raise InputError(
            f"{path} does not say how its model was trained; expected a file or folder that "
            "diffhydro train or experiment has written"
        )
    config = checked(TrainConfig, told["config"], str(path))
    names = told.get("members")
    opened = Opened(load(path), config, None if names is None else len(names))
    return _of_training(opened, data, attributes, is_scored=is_scored)


def _study(path: Path) -> str | None:
    """Give the name of the study whose folder this is; None if it is another."""
    if not (path / CONFIG).is_file():
        return None
    found = read_yaml(path / CONFIG)
    return str(found["experiment"]) if found.get("task") == "experiment" else None


def _write(out: Path, found: "xr.Dataset", path: Path) -> None:
    with whole(out) as part:
        found.assign_attrs(source=f"diffhydro {__version__}, {path}").to_netcdf(
            part, engine="h5netcdf"
        )


def _of_training(
    opened: Opened, data: Path | None, attributes: Path | None, *, is_scored: bool
) -> "xr.Dataset":
    import xarray as xr

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
    count = opened.members
    models = [opened.model] if count is None else [member(opened.model, i) for i in range(count)]
    many = np.stack([predict(one, table, sites, start) for one in models])
    axes = {"site": table.data["site"].values, "time": table.data["time"].values}
    unit = {"units": "m3 m-3"}
    held: dict[str, Any] = {PREDICTED: (("site", "time"), many.mean(axis=0), unit)}
    if len(models) > 1:
        held[SPREAD] = ("site", "time"), many.std(axis=0), unit
    held[OBSERVED] = ("site", "time"), table.observed.values, unit
    return xr.Dataset(held, axes)

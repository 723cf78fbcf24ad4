"""Models that a run has kept, asked about other stations."""

from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.errors import InputError
from experiments.global_pgdl.real.kept import MODELS, Kept

if TYPE_CHECKING:
    import xarray as xr


def predict(run: Path, data: Path, attributes: Path | None) -> "xr.Dataset":
    """Predict at the stations of a file with all models that a run at stations has kept.

    Args:
        run: Its folder.

    Returns:
        `soil_moisture`, `[model, site, time]`, and `observed`, NaN in the start windows.
    """
    import xarray as xr

    if not (run / MODELS).is_dir():
        raise InputError(
            f"{run} has kept no models for stations; the preset stations of global_pgdl does"
        )
    found = Kept.of(run / MODELS).predict(data, attributes)
    names = list(found.predicted)
    together = xr.concat([found.predicted[name] for name in names], "model")
    together = together.assign_coords(model=names).assign_attrs(units="m3 m-3")
    return xr.Dataset({"soil_moisture": together, "observed": found.observed})

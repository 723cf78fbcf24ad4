"""Results of many sites, written a chunk at a time into a zarr store that appears when it is whole.

While a run is under way everything lies in OUT.partial: the store, the run's own description, and
for every finished chunk of sites one file with its final state and its budget. That file is written
last, and atomically: a chunk that has one is done, whatever happened afterwards, and a chunk that
has none is computed again. A second run of another kind finds the description and refuses.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from diffhydro.app.case_report import to_json, write_all
from diffhydro.core.states import write_archive
from diffhydro.errors import InputError


class Field(NamedTuple):
    """A variable of the results."""

    dimensions: tuple[str, ...]  # the first is that of the sites
    shape: tuple[int, ...]
    attributes: dict[str, str]


class Results:
    """A store being filled.

    Args:
        out: Where the results will be: a zarr store, or NetCDF if it ends in .nc.
        description: What makes this run this run; JSON.
        coordinates: Name to values, dimension and attributes.
    """

    def __init__(
        self,
        out: Path,
        description: Mapping[str, Any],
        coordinates: Mapping[str, tuple[str, np.ndarray, dict[str, str]]],
        attributes: Mapping[str, str],
    ) -> None:
        self.out = out
        self._folder = out.with_name(out.name + ".partial")
        self._store = self._folder / "results.zarr"
        self._coordinates = coordinates
        self._attributes = dict(attributes)
        self.resumed = self._open(json.loads(json.dumps(description)))

    def _open(self, description: dict[str, Any]) -> bool:
        if self.out.exists():
            raise InputError(f"{self.out} exists; move it away or choose another --out")
        told = self._folder / "run.json"
        if told.is_file():
            before = json.loads(told.read_text(encoding="utf-8"))
            if before != description:
                other = [k for k in description if before.get(k) != description[k]]
                raise InputError(
                    f"{self._folder} holds an unfinished run with another {', '.join(other)}; "
                    "finish that one, or remove the folder to start afresh"
                )
            return True
        if self._folder.exists() and any(self._folder.iterdir()):
            raise InputError(f"{self._folder} is not a run of this program; move it away")
        write_all(self._folder, {told.name: to_json(description)})
        return False

    def done(self, chunk: int) -> bool:
        """Tell whether a chunk is finished."""
        return self._mark(chunk).is_file()

    def write(
        self,
        chunk: int,
        sites: slice,
        fields: Mapping[str, tuple[Field, np.ndarray]],
        rest: Mapping[str, np.ndarray],
        chunk_size: int,
    ) -> None:
        """Write the results of a chunk, and then that it is done.

        Args:
            rest: State and totals, kept beside the store.
        """
        import zarr

        group = zarr.open_group(self._store, mode="a")
        for name, (field, values) in fields.items():
            if name not in group:
                size = (min(chunk_size, field.shape[0]), *field.shape[1:])
                attributes: dict[str, Any] = {**field.attributes}
                # All at once: what a kill leaves is a whole variable or none.
                group.create_array(
                    name,
                    shape=field.shape,
                    chunks=size,
                    dtype=values.dtype,
                    fill_value=np.nan,
                    dimension_names=field.dimensions,
                    attributes=attributes,
                )
            array: Any = group[name]
            array[sites] = values
        write_archive(self._mark(chunk), rest)

    def beside(self, chunk: int) -> dict[str, np.ndarray]:
        """Read state and totals of a finished chunk."""
        with np.load(self._mark(chunk), allow_pickle=False) as found:
            return dict(found)

    def finish(self) -> None:
        """Add coordinates, move the store to where it was wanted, and remove the rest."""
        import zarr

        group = zarr.open_group(self._store, mode="a")
        for name, (dimension, values, attributes) in self._coordinates.items():
            array: Any = group.require_array(
                name,
                shape=values.shape,
                dtype=str if values.dtype == object else values.dtype,
                dimension_names=(dimension,),
            )
            array[:] = values
            array.attrs.update(attributes)
        group.attrs.update(self._attributes)
        if self.out.suffix == ".nc":
            self._to_netcdf()
        else:
            self._store.rename(self.out)
        shutil.rmtree(self._folder)

    def _to_netcdf(self) -> None:
        import xarray as xr

        part = self._folder / "results.nc"
        with xr.open_zarr(self._store, chunks=None, consolidated=False) as found:
            found.to_netcdf(part, engine="h5netcdf")
        part.replace(self.out)

    def _mark(self, chunk: int) -> Path:
        return self._folder / f"chunk_{chunk:06d}.npz"

"""Columns of text: from a table's units and amounts to a data set of the schema.

For readers whose files differ in units among themselves: every column is converted by itself, and
the data set says what the columns were called.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.readers.stations import Series, Station, side_by_side
from diffhydro.data.readers.steps import DAY, conform_steps, rate
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Column:
    """A column and what it is.

    Args:
        label: Its name in the file.
        name: The schema's.
        unit: The file's; None for the schema's.
        depth: mm.
        stamp: What a time means, as in `conform.Source`.
    """

    label: str
    name: str
    unit: str | None = None
    depth: float | None = None
    stamp: str = "start"

    def series(
        self, times: np.ndarray, values: np.ndarray, step: np.timedelta64, where: str
    ) -> Series:
        """Give a series in the schema's unit; what came in a step becomes a rate."""
        here = f"{self.label} in {where}"
        factor, offset = VARIABLES[self.name].conversion(self.unit, here)
        factor *= rate(self.name, self.unit, step, here)
        return Series(self.name, times, values * factor + offset, self.depth)


def assembled(
    stations: Iterable[Station], columns: Sequence[Column], step: np.timedelta64, origin: Origin
) -> "xr.Dataset":
    """Put stations side by side, whose series were made by `Column.series`."""
    sources = {one.name: Source(one.name, stamp=one.stamp) for one in columns}
    found = side_by_side(stations, step)
    made = (conform if step == DAY else conform_steps)(found, sources, origin)
    for name, values in made.data_vars.items():
        of = [one for one in columns if one.name == name]
        values.attrs["source_name"] = ", ".join(dict.fromkeys(one.label for one in of))
        units = dict.fromkeys(
            VARIABLES[one.name].unit if one.unit is None else one.unit for one in of
        )
        values.attrs["source_unit"] = ", ".join(units)
    return made


def refuse_nonsense(made: "xr.Dataset", where: str) -> None:
    """Refuse a variable most of whose values had to be masked: its unit is another."""
    for name, values in made.data_vars.items():
        masked = values.attrs.get("masked_outside_range", 0)
        if masked > int(values.notnull().sum()):
            least, most = values.attrs["valid_range"]
            raise InputError(
                f"{values.attrs['source_name']} in {where}, read as {name} in "
                f"{values.attrs['source_unit']}: {masked} values are outside {least:g} … {most:g} "
                f"{values.attrs['units']}, which is most of them; say its unit, or what stands "
                "for missing"
            )

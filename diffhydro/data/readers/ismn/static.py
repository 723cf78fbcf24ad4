"""What the network says of a station's ground: a table beside its files, with semicolons.

Texture, organic carbon and saturation are those of a map (Harmonized World Soil Database) for
0–0.30 and 0.30–1.00 m, land cover that of ESA CCI (the newest year), climate the letters of Peel et
al. 2007. What was noted at the station itself follows no common code and is not read.
"""

import math
from collections.abc import Iterator
from typing import Any

from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

_COLUMNS = (
    "quantity_name",
    "unit",
    "depth_from[m]",
    "depth_to[m]",
    "value",
    "description",
    "quantity_source_name",
)
_QUANTITIES = {
    "sand fraction": "sand",
    "silt fraction": "silt",
    "clay fraction": "clay",
    "organic carbon": "organic_carbon",
    "saturation": "theta_s",
}
_LAYERS = {(0.0, 0.3): "", (0.3, 1.0): "_subsoil"}  # m
_CLASSES = {
    "land cover classification": "land_cover",
    "climate classification": "climate_class",
}
_AT_THE_STATION = "insitu"

Row = dict[str, str]


def static(data: bytes, where: str) -> dict[str, Any]:
    """Read the table of a station.

    Returns:
        `sand`, `silt`, `clay`, `organic_carbon` (%) and `theta_s` of the upper layer, the same with
        `_subsoil` of the lower; `land_cover`, a code; `climate_class`, letters.
    """
    found: dict[str, Any] = {}
    newest: dict[str, str] = {}
    for line, row in _rows(data, where):
        place, source = f"{where} line {line}", row["quantity_source_name"]
        if source == _AT_THE_STATION or not row["value"]:
            continue
        if row["quantity_name"] in _QUANTITIES:
            found = _soil(row, place) | found
        name = _CLASSES.get(row["quantity_name"])
        if name and source >= newest.get(name, ""):
            newest[name] = source
            found |= _class(name, row["value"], place)
    return found


def _rows(data: bytes, where: str) -> Iterator[tuple[int, Row]]:
    columns = _COLUMNS
    # Fields hold single quotation marks (30" for an angle), so these quote nothing.
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        fields = [field.strip() for field in line.split(";")]
        if fields == [""]:
            continue
        if number == 1 and fields[0] == _COLUMNS[0]:
            columns = tuple(fields)
            missing = [name for name in _COLUMNS if name not in columns]
            if missing:
                raise InputError(f"{where} has no column {missing[0]}; it has {', '.join(fields)}")
            continue
        if len(fields) < len(_COLUMNS):
            raise InputError(
                f"{where} line {number} has {len(fields)} fields; expected at least "
                f"{len(_COLUMNS)}: it is cut short or damaged, fetch it again or remove it"
            )
        yield number, dict(zip(columns, fields, strict=False))


def _soil(row: Row, where: str) -> dict[str, float]:
    layer = (_number(row["depth_from[m]"], where), _number(row["depth_to[m]"], where))
    if layer not in _LAYERS:
        return {}
    name = _QUANTITIES[row["quantity_name"]]
    # m^3*m^-3 is the network's spelling.
    factor, offset = VARIABLES[name].conversion(row["unit"].replace("*", " "), where)
    value = _number(row["value"], where) * factor + offset
    return {name + _LAYERS[layer]: value} if _can_be(name, value) else {}


def _class(name: str, text: str, where: str) -> dict[str, Any]:
    if name not in VARIABLES:
        return {name: text}
    code = _number(text, where)
    return {name: code} if _can_be(name, code) else {}


def _can_be(name: str, value: float) -> bool:
    """Tell whether a variable can have a value; like in a series, others are missing."""
    return VARIABLES[name].least <= value <= VARIABLES[name].most


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError(f"{where} has {text!r} where a number is expected") from error
    return value if math.isfinite(value) else math.nan

"""What a column's label says: the schema's name or an alias, a unit in brackets, a depth, a month.

    precipitation, pr (mm), tmax [degC], Soil moisture 50mm (m3/m3), sand_5, lai_07

Upper and lower case, blanks, hyphens and underscores do not matter.
"""

import re
from dataclasses import dataclass

from diffhydro.data.schema import SERIES, VARIABLES
from diffhydro.errors import InputError

MILLIMETRES = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4}
_UNIT = re.compile(r"\s*[(\[]([^()\[\]]*)[)\]]\s*$")
_DEPTH = re.compile(r"(.+?)_(\d+(?:\.\d+)?)_?(mm|cm|m|in)?")
_MONTH = re.compile(r"(.+)_(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class Label:
    """A label, taken apart.

    Args:
        name: The schema's; None for what it does not have.
        unit: As it stands in the brackets; None without brackets.
        depth: In mm.
        month: From 1 to 12.
    """

    text: str
    name: str | None = None
    unit: str | None = None
    depth: float | None = None
    month: int | None = None


def plain(text: str) -> str:
    """Write a name in small letters with underscores."""
    return re.sub(r"[\s_\-]+", "_", text.strip().lower()).strip("_")


# A name comes before another variable's alias.
_NAMES = {plain(alias): v.name for v in VARIABLES.values() for alias in v.aliases} | {
    plain(name): name for name in VARIABLES
}


def schema_name(text: str) -> str | None:
    """Give the schema's name for a name or an alias, None for others."""
    return _NAMES.get(plain(text))


def label(text: str, depth_unit: str = "cm") -> Label:
    """Take a label apart.

    >>> found = label("Soil moisture 5 (m3/m3)")
    >>> found.name, found.unit, found.depth
    ('soil_moisture', 'm3/m3', 50.0)

    Args:
        depth_unit: Of depths that have none: mm, cm, m or in.
    """
    if depth_unit not in MILLIMETRES:
        raise InputError(f"depth_unit is {depth_unit!r}; expected {', '.join(MILLIMETRES)}")
    found = _UNIT.search(text)
    unit = (found[1].strip() or None) if found else None
    stem = plain(text[: found.start()] if found else text)
    if stem in _NAMES:
        return Label(text, _NAMES[stem], unit)
    month = _MONTH.fullmatch(stem)
    if month and _axes(month[1]) == SERIES:
        return Label(text, _NAMES[month[1]], unit, month=int(month[2]))
    deep = _DEPTH.fullmatch(stem)
    if deep and "depth" in _axes(deep[1]):
        depth = round(float(deep[2]) * MILLIMETRES[deep[3] or depth_unit], 6)
        return Label(text, _NAMES[deep[1]], unit, depth=depth)
    return Label(text, None, unit)


def _axes(stem: str) -> tuple[str, ...]:
    return VARIABLES[_NAMES[stem]].axes if stem in _NAMES else ()

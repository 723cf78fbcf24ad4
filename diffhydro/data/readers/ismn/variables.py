"""The network's variables: their codes in file names, what the schema calls them, their units.

Units as the network states them for all its archives: m³/m³, °C, mm, kPa, and mm/h for
precipitation.
"""

from collections.abc import Iterable
from difflib import get_close_matches

from diffhydro.data.conform import Source
from diffhydro.errors import InputError

# Loggers write down at the full hour what fell since the last; the rest is read at that instant.
SOURCES = {
    "sm": Source("soil_moisture", "m3 m-3", stamp="instant"),
    "ts": Source("soil_temperature", "degC", stamp="instant"),
    "su": Source("soil_suction", "kPa", stamp="instant"),
    "p": Source("precipitation", "mm h-1", stamp="end"),
    "ta": Source("temperature", "degC", stamp="instant"),
    "tsf": Source("surface_temperature", "degC", stamp="instant"),
    "sd": Source("snow_depth", "mm", stamp="instant"),
    "swe": Source("snow_water", "mm", stamp="instant"),
}
SPELLINGS = {"sweq": "swe"}
IN_SOIL = frozenset({"sm", "ts", "su"})  # the depths of all others are heights of instruments


def chosen(variables: Iterable[str] | None) -> frozenset[str]:
    """Turn names of the schema, or the network's codes, into codes; None means all."""
    if variables is None:
        return frozenset(SOURCES)
    if isinstance(variables, str):
        variables = [variables]
    codes = {source.name: code for code, source in SOURCES.items()}
    codes |= {code: code for code in SOURCES} | SPELLINGS
    found = set()
    for name in variables:
        if name not in codes:
            near = get_close_matches(name, codes, n=1)
            raise InputError(
                f"variables has {name!r}{f'; did you mean {near[0]!r}?' if near else ''}; the "
                f"network measures {', '.join(source.name for source in SOURCES.values())}"
            )
        found.add(codes[name])
    return frozenset(found)

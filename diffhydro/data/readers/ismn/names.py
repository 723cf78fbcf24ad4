"""File names of the network: what they say of a sensor.

`<CSE>_<NETWORK>_<Station>_<variable>_<from>_<to>_<Sensor>_<start>_<end>.stm`, depths in metres.
Names of stations and sensors may hold underscores, so a name is understood from its numbers. Old
files of whole stations are `<CSE>_<NETWORK>_<Station>_<start>_<end>.stm`.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from diffhydro.data.readers.ismn.variables import SPELLINGS

SUFFIX = ".stm"
PATTERN = "<CSE>_<NETWORK>_<Station>_<variable>_<from>_<to>_<Sensor>_<start>_<end>.stm"
STATIC = "_static_variables.csv"
_MM = 1000.0  # in a metre
_DEPTH = r"-?\d{1,4}(?:\.\d+)?"
_SENSOR = re.compile(
    rf"(?P<prefix>.+)_(?P<code>[a-z]+)_(?P<top>{_DEPTH})_(?P<bottom>{_DEPTH})_(?P<sensor>.+)"
    r"_\d{8}_\d{8}\.stm"
)
_STATION = re.compile(r"(?P<prefix>.+_.+_.+)_\d{8}_\d{8}\.stm")


@dataclass(frozen=True)
class Name:
    """What a file's name says.

    Args:
        path: Inside the archive, with slashes.
        prefix: `<CSE>_<NETWORK>_<Station>`.
        code: Of the variable; None for a file of a whole station.
        top: Of the sensor's layer, or its depth, mm; negative above the ground.
        bottom: Equal to `top` for a probe.
    """

    path: str
    prefix: str
    code: str | None = None
    top: float = 0.0
    bottom: float = 0.0
    sensor: str = ""

    @property
    def folder(self) -> str:
        """Where the file lies inside the archive."""
        return str(PurePosixPath(self.path).parent)

    @property
    def static(self) -> str:
        """Path of the table that comes with the station."""
        return str(PurePosixPath(self.path).with_name(self.prefix + STATIC))


def understood(path: str) -> Name | None:
    """Understand the name of a file; None if it is not one of the network's."""
    file = PurePosixPath(path).name
    found = _SENSOR.fullmatch(file)
    if found:
        top, bottom = sorted(round(float(found[side]) * _MM, 3) for side in ("top", "bottom"))
        code = SPELLINGS.get(found["code"], found["code"])
        return Name(path, found["prefix"], code, top, bottom, found["sensor"])
    found = _STATION.fullmatch(file)
    return Name(path, found["prefix"]) if found else None

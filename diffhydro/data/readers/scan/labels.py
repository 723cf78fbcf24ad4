"""Column labels of SCAN and SNOTEL reports, in both generations.

    PRCP.D-1 (in)     SMS.I-2:-8 (pct)  (loam)     WSPDV.H-1:144 (mph)
    Soil Moisture Percent -2in (pct) Mean of Hourly Values     Air Temperature Average (degF)

The older labels are an element, a duration (day, hour, instant), the number of the sensor, and its
height in inches, negative below the ground. The newer ones are words, a depth, a unit, and how the
hours of a day were put together.
"""

import re
from dataclasses import dataclass

from diffhydro.data.readers.tables.labels import MILLIMETRES

INSTANT, MEAN, START = "instant", "mean", "start of the day"
_OLD = re.compile(r"([A-Z]+)\.([DHIM])-(\d+)(?::(-?\d+(?:\.\d+)?))?\s*\(([^)]*)\)")
_NEW = re.compile(
    r"([A-Za-z][A-Za-z/ \-]*?)(?:\s+(-?\d+(?:\.\d+)?)in)?\s*\(([^)]*)\)\s*([A-Za-z ]*)"
)
# How the reports write units, in the spelling of `units.py`.
_UNITS = {
    "pct": "%",
    "watt": "W m-2",
    "watt/m2": "W m-2",
    "langley": "langley day-1",
    "in": "in",
    "degf": "degF",
    "degc": "degC",
    "inch_hg": "inch_Hg",
    "kpa": "kPa",
    "mph": "mph",
}


@dataclass(frozen=True)
class Element:
    """Something that a station measures.

    Args:
        code: In the older labels.
        words: In the newer ones, in small letters.
        name: The schema's; of the highest and the lowest of a day's hours as well, if it has them.
        is_state: Whether a single instant of a day is worth reading.
        rank: The lower comes first where several give one variable.
    """

    code: str
    words: str
    name: str
    is_state: bool = False
    rank: int = 0


ELEMENTS = (
    Element("PRCP", "precipitation increment", "precipitation"),
    Element("PREC", "precipitation accumulation", "precipitation", True, 1),
    Element("TAVG", "air temperature average", "temperature"),
    Element("TOBS", "air temperature observed", "temperature", rank=1),
    Element("TMAX", "air temperature maximum", "temperature_max"),
    Element("TMIN", "air temperature minimum", "temperature_min"),
    Element("RHUMV", "relative humidity average", "relative_humidity"),
    Element("RHUM", "relative humidity", "relative_humidity", rank=1),
    Element("RHUMX", "relative humidity maximum", "relative_humidity_max"),
    Element("RHUMN", "relative humidity minimum", "relative_humidity_min"),
    Element("WSPDV", "wind speed average", "wind"),
    Element("WSPD", "wind speed", "wind", rank=1),
    Element("SRADV", "solar radiation average", "shortwave"),
    Element("SRAD", "solar radiation", "shortwave", rank=1),
    Element("LRADT", "solar radiation/langley total", "shortwave", rank=2),
    Element("PVPV", "vapor pressure - partial", "vapour_pressure"),
    Element("DPTP", "dew point temperature", "dew_point"),
    Element("PRES", "barometric pressure", "pressure"),
    Element("SNWD", "snow depth", "snow_depth", True),
    Element("WTEQ", "snow water equivalent", "snow_water", True),
    Element("SMV", "soil moisture percent average", "soil_moisture"),
    Element("SMS", "soil moisture percent", "soil_moisture", True, 1),
    Element("STV", "soil temperature average", "soil_temperature"),
    Element("STO", "soil temperature observed", "soil_temperature", True, 1),
)
_BY_CODE = {one.code: one for one in ELEMENTS}
_BY_WORDS = {one.words: one for one in ELEMENTS}


@dataclass(frozen=True)
class ScanLabel:
    """A label, taken apart.

    Args:
        name: The schema's, with the highest or lowest of a day where the label says so.
        unit: In the spelling of `units.py`.
        height: Of the sensor above the ground, mm; negative below.
        statistic: `INSTANT`, `MEAN` (also of sums), or `START`.
    """

    text: str
    element: Element
    name: str
    unit: str
    height: float | None
    statistic: str

    @property
    def rank(self) -> tuple[int, int]:
        """Order labels of one variable and height: the first is read."""
        is_of_hours = self.name != self.element.name  # after what the station itself gives
        return (
            self.element.rank + len(ELEMENTS) * is_of_hours,
            (MEAN, INSTANT, START).index(self.statistic),
        )


def scan_label(text: str) -> ScanLabel | None:
    """Take a label apart; None for elements that are not read."""
    text = text.strip()
    old = _OLD.match(text)
    if old:
        element = _BY_CODE.get(old[1])
        statistic, height, unit = INSTANT if old[2] == "I" else MEAN, old[4], old[5]
        extreme = ""
    else:
        new = _NEW.fullmatch(text)
        if not new:
            return None
        element = _BY_WORDS.get(" ".join(new[1].lower().split()))
        height, unit = new[2], new[3]
        statistic, extreme = _statistic(new[4].strip().lower())
    if element is None or statistic is None:
        return None
    name = element.name
    if extreme:
        if name not in ("temperature", "relative_humidity"):
            return None
        name = f"{name}_{extreme}"
    spelled = unit.strip().lower()
    inches = None if height is None else round(float(height) * MILLIMETRES["in"], 6)
    return ScanLabel(text, element, name, _UNITS.get(spelled, unit.strip()), inches, statistic)


def _statistic(words: str) -> tuple[str | None, str]:
    """Give what a day's value is, and which extreme of its hours."""
    if words in ("", "mean of hourly values", "sum of hourly values"):
        return MEAN, ""
    if words.startswith("start of"):
        return START, ""
    if words in ("max of hourly values", "min of hourly values"):
        return MEAN, words[:3]
    return None, ""

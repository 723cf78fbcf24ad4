"""International Soil Moisture Network: folders or a zip of text files, one for a sensor.

Three layouts in use since 2007 (Dorigo et al. 2011, doi:10.5194/hess-15-1675-2011; 2021,
doi:10.5194/hess-25-5749-2021): header and values, CEOP in separate files, CEOP by station. All
times are UTC.
"""

from diffhydro.data.readers.ismn.catalogue import Sensor, list_ismn, looks_like_ismn
from diffhydro.data.readers.ismn.flags import CODES, KEEP
from diffhydro.data.readers.ismn.reader import read_ismn, read_ismn_hourly

__all__ = [
    "read_ismn",
    "read_ismn_hourly",
    "list_ismn",
    "looks_like_ismn",
    "Sensor",
    "CODES",
    "KEEP",
]

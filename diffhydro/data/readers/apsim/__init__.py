"""APSIM: what the model writes, and the weather it reads."""

from diffhydro.data.readers.apsim.output import read_apsim
from diffhydro.data.readers.apsim.weather import read_apsim_weather

__all__ = ["read_apsim", "read_apsim_weather"]

"""Data: files in, checked series in the package's units out."""

from diffhydro.data.schema import VARIABLES, Variable
from diffhydro.data.weather import Weather, open_weather

__all__ = ["VARIABLES", "Variable", "Weather", "open_weather"]

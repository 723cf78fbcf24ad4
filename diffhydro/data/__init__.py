"""Data: files in, checked series in the package's units out."""

from diffhydro.data.schema import VARIABLES, Variable
from diffhydro.data.sites import Site, Sites, open_sites
from diffhydro.data.weather import Weather, open_weather

__all__ = ["VARIABLES", "Site", "Sites", "Variable", "Weather", "open_sites", "open_weather"]

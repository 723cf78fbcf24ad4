"""Raster products: soil, land cover, climate and terrain, read from GeoTIFFs in windows."""

from diffhydro.data.readers.raster.classes import class_shares
from diffhydro.data.readers.raster.dem import read_dem
from diffhydro.data.readers.raster.gnatsgo import read_gnatsgo, soil_of
from diffhydro.data.readers.raster.koppen import letters, looks_like_koppen, read_koppen
from diffhydro.data.readers.raster.map_units import read_map_units
from diffhydro.data.readers.raster.nlcd import read_nlcd
from diffhydro.data.readers.raster.points import at_points
from diffhydro.data.readers.raster.polaris import looks_like_polaris, read_polaris
from diffhydro.data.readers.raster.solus import looks_like_solus, read_solus

__all__ = [
    "at_points",
    "class_shares",
    "letters",
    "looks_like_koppen",
    "looks_like_polaris",
    "looks_like_solus",
    "read_dem",
    "read_gnatsgo",
    "read_koppen",
    "read_map_units",
    "read_nlcd",
    "read_polaris",
    "read_solus",
    "soil_of",
]

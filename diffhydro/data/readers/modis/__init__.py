"""MODIS leaf area: MOD15A2H, MYD15A2H, MCD15A2H and MCD15A3H, in the forms that they come in."""

from diffhydro.data.readers.modis.codes import Cloud, Keep, Method
from diffhydro.data.readers.modis.geotiff import read_modis_geotiff
from diffhydro.data.readers.modis.hdf import looks_like_modis, read_modis
from diffhydro.data.readers.modis.table import read_modis_table

__all__ = [
    "Cloud",
    "Keep",
    "Method",
    "looks_like_modis",
    "read_modis",
    "read_modis_geotiff",
    "read_modis_table",
]

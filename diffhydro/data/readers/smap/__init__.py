"""Soil moisture of the satellite SMAP, level 3, on 36 and 9 km."""

from diffhydro.data.readers.smap.granule import looks_like_smap
from diffhydro.data.readers.smap.retrievals import Retrieval, Surface, read_smap

__all__ = ["Retrieval", "Surface", "looks_like_smap", "read_smap"]

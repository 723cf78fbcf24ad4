"""gridMET: maps of days, native and from services, and tables of points."""

from diffhydro.data.readers.gridmet.days import looks_like_gridmet, read_gridmet

__all__ = ["looks_like_gridmet", "read_gridmet"]

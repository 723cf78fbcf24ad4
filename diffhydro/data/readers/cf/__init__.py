"""Files that follow the CF conventions and belong to no product."""

from diffhydro.data.readers.cf.reader import read_cf

__all__ = ["read_cf"]

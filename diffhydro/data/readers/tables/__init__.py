"""Tables of no product: series of sites, and what is known of sites."""

from diffhydro.data.readers.tables.attributes import read_attributes
from diffhydro.data.readers.tables.join import join_attributes
from diffhydro.data.readers.tables.table import read_table

__all__ = ["join_attributes", "read_attributes", "read_table"]

"""A virtual Earth with a known truth, for machines that have no data.

Everything in it is invented. Its recipe was settled on hydrological grounds (docs/virtual-earth.md)
and is not changed to favour a model.
"""

from diffhydro.data.virtual.build import describe_world, virtual_earth
from diffhydro.data.virtual.presets import PRESETS, Preset

__all__ = ["PRESETS", "Preset", "describe_world", "virtual_earth"]

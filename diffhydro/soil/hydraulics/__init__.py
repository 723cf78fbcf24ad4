"""Hydraulic functions of soils: water content and conductivity as functions of pressure head."""

from diffhydro.soil.hydraulics.broadbridge_white import BroadbridgeWhite
from diffhydro.soil.hydraulics.brooks_corey import BrooksCorey
from diffhydro.soil.hydraulics.clapp_hornberger import ClappHornberger
from diffhydro.soil.hydraulics.curves import AIR_DRY, AbstractHydraulics, Curves
from diffhydro.soil.hydraulics.gardner import Gardner
from diffhydro.soil.hydraulics.haverkamp import Haverkamp
from diffhydro.soil.hydraulics.horizons import Horizons, at
from diffhydro.soil.hydraulics.monotone import MonotoneHydraulics
from diffhydro.soil.hydraulics.van_genuchten import VanGenuchten
from diffhydro.soil.hydraulics.van_genuchten_air_entry import VanGenuchtenAirEntry

__all__ = [
    "AIR_DRY",
    "AbstractHydraulics",
    "BroadbridgeWhite",
    "BrooksCorey",
    "ClappHornberger",
    "Curves",
    "Gardner",
    "Haverkamp",
    "Horizons",
    "MonotoneHydraulics",
    "VanGenuchten",
    "VanGenuchtenAirEntry",
    "at",
]

"""The parameters that Xi & Zhuang (2026) calibrate, of uplands and of wetlands."""

_CANOPY = (
    "surface.canopy.interception.capacity",
    "surface.canopy.conductance.g_max",
    "surface.canopy.extinction",
)
UPLAND = (
    "upland.soil.theta_s",
    "upland.soil.k_sat",
    "upland.soil.psi_sat",
    "upland.soil.b",
    *_CANOPY,
)
WETLAND = (*_CANOPY, "wetland.drainage")

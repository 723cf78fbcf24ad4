"""Land: weather, models that step through it, their laws, instruments, and the water budget."""

from diffhydro.land.budget import Budget, budget
from diffhydro.land.canopy import Canopy
from diffhydro.land.conductance import AbstractConductance, Jarvis
from diffhydro.land.fallow import Fallow
from diffhydro.land.forcing import Forcing
from diffhydro.land.from_below import AbstractFromBelow, AsItFlows, NoMoreThanInflow
from diffhydro.land.ground import AbstractGround
from diffhydro.land.hbv import Capillary, Hbv, NoCapillary
from diffhydro.land.initial import AbstractInitial, UniformHead, WaterContents, WaterTable
from diffhydro.land.interception import (
    AbstractInterception,
    HelveyPatric,
    ShareOfRain,
    SharpInterception,
    SmoothInterception,
)
from diffhydro.land.land import Land
from diffhydro.land.model import AbstractModel, Step
from diffhydro.land.observe import layer_mean, probe, root_zone, skin
from diffhydro.land.potential import (
    AbstractPotential,
    Given,
    Grass,
    Hargreaves,
    JensenHaise,
    PenmanMonteith,
    PriestleyTaylor,
)
from diffhydro.land.routing import AbstractRouting, GammaHydrograph, NoRouting
from diffhydro.land.runoff import AbstractRunoff, CurveNumber, NoRunoff, SaturationPower, SubGrid
from diffhydro.land.snow import (
    AgeingAbsorption,
    BiomeBgcMelt,
    ConstantAbsorption,
    DegreeDayMelt,
    RadiationMelt,
    Snowpack,
)
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.soil_evaporation import (
    AbstractDryness,
    BareSoil,
    DaysSinceRain,
    LeePielke,
    Unlimited,
)
from diffhydro.land.surface import Surface
from diffhydro.land.threshold import Sharp, Smooth
from diffhydro.land.trajectory import Fluxes, Profile, Trajectory
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.land.wetland import Wetland

__all__ = [
    # models
    "AbstractModel",
    "AbstractGround",
    "Land",
    "Fallow",
    "Hbv",
    "SoilColumn",
    "Upland",
    "WaterBalance",
    "Wetland",
    "Step",
    # what they run through, and leave
    "Forcing",
    "Fluxes",
    "Profile",
    "Trajectory",
    "Budget",
    "budget",
    "layer_mean",
    "probe",
    "root_zone",
    "skin",
    # what a soil column starts with
    "AbstractInitial",
    "UniformHead",
    "WaterContents",
    "WaterTable",
    # the surface and its laws
    "Surface",
    "Canopy",
    "AbstractConductance",
    "Jarvis",
    "AbstractInterception",
    "HelveyPatric",
    "ShareOfRain",
    "SharpInterception",
    "SmoothInterception",
    "Snowpack",
    "RadiationMelt",
    "BiomeBgcMelt",
    "DegreeDayMelt",
    "ConstantAbsorption",
    "AgeingAbsorption",
    "BareSoil",
    "Sharp",
    "Smooth",
    # laws of the ground
    "AbstractDryness",
    "DaysSinceRain",
    "LeePielke",
    "Unlimited",
    "AbstractRunoff",
    "CurveNumber",
    "NoRunoff",
    "SaturationPower",
    "SubGrid",
    "AbstractFromBelow",
    "AsItFlows",
    "NoMoreThanInflow",
    # laws of HBV
    "Capillary",
    "NoCapillary",
    "AbstractRouting",
    "GammaHydrograph",
    "NoRouting",
    # potential evaporation
    "AbstractPotential",
    "Given",
    "Grass",
    "Hargreaves",
    "JensenHaise",
    "PenmanMonteith",
    "PriestleyTaylor",
]

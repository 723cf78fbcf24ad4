"""Land: forcing, models that step through it, instruments, and the water budget."""

from diffhydro.land.budget import Budget, budget
from diffhydro.land.forcing import Forcing
from diffhydro.land.initial import AbstractInitial, UniformHead, WaterContents, WaterTable
from diffhydro.land.model import AbstractModel, Step
from diffhydro.land.observe import layer_mean, probe, root_zone, skin
from diffhydro.land.soil_column import SoilColumn
from diffhydro.land.trajectory import Fluxes, Profile, Trajectory

__all__ = [
    "AbstractInitial",
    "AbstractModel",
    "Budget",
    "Fluxes",
    "Forcing",
    "Profile",
    "SoilColumn",
    "Step",
    "Trajectory",
    "UniformHead",
    "WaterContents",
    "WaterTable",
    "budget",
    "layer_mean",
    "probe",
    "root_zone",
    "skin",
]

"""Coupling: networks and physics as one model."""

from diffhydro.coupling.departure import Departure
from diffhydro.coupling.dynamic_parameters import DynamicParameters
from diffhydro.coupling.features import Features
from diffhydro.coupling.flux_closure import FluxClosure
from diffhydro.coupling.fluxes import AbstractFluxes, Coupled, Fed, feed
from diffhydro.coupling.hybrid import AbstractHybrid, Bound, bind, simulate
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.observed import AbstractInstrument, Observed, Probe, Probes, Skin
from diffhydro.coupling.output_correction import OutputCorrection
from diffhydro.coupling.physics_guided import PastDriven, PhysicsGuided
from diffhydro.coupling.predictor import AbstractPredictor, AbstractScheduled
from diffhydro.coupling.prescribed import Prescribed
from diffhydro.coupling.rises import AbstractRises, Always, WithWater
from diffhydro.coupling.rolled_out import RolledOut
from diffhydro.coupling.sequence import Sequence
from diffhydro.coupling.static_parameters import StaticParameters
from diffhydro.coupling.tile_parameters import TileParameters
from diffhydro.coupling.varying import Varying
from diffhydro.coupling.window import AbstractWindowed, one_ahead, roll_out

__all__ = [
    "AbstractFluxes",
    "AbstractHybrid",
    "AbstractInstrument",
    "AbstractPredictor",
    "AbstractRises",
    "AbstractScheduled",
    "AbstractWindowed",
    "Always",
    "Bound",
    "Coupled",
    "Departure",
    "DynamicParameters",
    "Features",
    "Fed",
    "FluxClosure",
    "Inputs",
    "Observed",
    "OutputCorrection",
    "PastDriven",
    "PhysicsGuided",
    "Prescribed",
    "Probe",
    "Probes",
    "RolledOut",
    "Sequence",
    "Skin",
    "StaticParameters",
    "TileParameters",
    "Varying",
    "WithWater",
    "bind",
    "feed",
    "one_ahead",
    "roll_out",
    "simulate",
]

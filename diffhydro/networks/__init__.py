"""Networks: Flax modules behind one door, `FlaxHead`."""

from diffhydro.networks.branches import TwoBranches
from diffhydro.networks.convlstm import ConvLstm, ConvLstmLayer
from diffhydro.networks.distributions import (
    AbstractDensity,
    AbstractDistribution,
    Mixture,
    Normal,
    Quantiles,
)
from diffhydro.networks.dropout import AbstractDropout, EveryTime, Variational
from diffhydro.networks.fused import Fused
from diffhydro.networks.head import AbstractHead, FlaxHead
from diffhydro.networks.imputer import Imputer
from diffhydro.networks.lstm import Lstm
from diffhydro.networks.mlp import Mlp
from diffhydro.networks.norm import Normalise
from diffhydro.networks.probabilistic import AbstractLaw, MixtureLaw, NormalLaw, QuantileLaw
from diffhydro.networks.recurrence import (
    AbstractArrangement,
    ByPlatform,
    Carry,
    Hoisted,
    InLoop,
)
from diffhydro.networks.unet import Between, Unet, root_zone_unet, surface_unet

__all__ = [
    "AbstractHead",
    "FlaxHead",
    "Mlp",
    "Lstm",
    "Carry",
    "TwoBranches",
    "AbstractDropout",
    "EveryTime",
    "Variational",
    "AbstractArrangement",
    "ByPlatform",
    "InLoop",
    "Hoisted",
    "Fused",
    "Unet",
    "surface_unet",
    "root_zone_unet",
    "Between",
    "ConvLstm",
    "ConvLstmLayer",
    "Imputer",
    "Normalise",
    "AbstractLaw",
    "NormalLaw",
    "MixtureLaw",
    "QuantileLaw",
    "AbstractDistribution",
    "AbstractDensity",
    "Normal",
    "Mixture",
    "Quantiles",
]

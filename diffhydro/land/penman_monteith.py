"""Evaporation from leaves and wet surfaces (Monteith 1965), as power, W/m².

    λE = G_c (Δ A + ρ c_p D g_a)/[(Δ + γ) G_c + γ g_a],    wet: λE = (Δ A + ρ c_p D g)/(Δ + γ)

Multiplied through by G_c, so that closed leaves need no division by zero. The same in the terms of
McNaughton & Jarvis (1983), as TEM writes it, is λE = Ω E_eq + (1 − Ω) E_imp.
"""

from diffhydro.land.air import HEAT_CAPACITY, Air
from diffhydro.typing import Array, Float


def through_leaves(
    air: Air,
    available: Float[Array, "..."],
    aerodynamic: Float[Array, "..."],
    leaves: Float[Array, "..."],
) -> Float[Array, "..."]:
    """Give the power of transpiration; `available` in W/m², both conductances in m/s."""
    demand = air.slope * available + _drying(air, aerodynamic)
    closed = air.psychrometric * aerodynamic
    return leaves * demand / ((air.slope + air.psychrometric) * leaves + closed)


def from_wet_surface(
    air: Air, available: Float[Array, "..."], aerodynamic: Float[Array, "..."]
) -> Float[Array, "..."]:
    """Give the power of evaporation where nothing but the air holds the water back."""
    demand = air.slope * available + _drying(air, aerodynamic)
    return demand / (air.slope + air.psychrometric)


def _drying(air: Air, aerodynamic: Float[Array, "..."]) -> Float[Array, "..."]:
    return air.density * HEAT_CAPACITY * air.deficit * aerodynamic

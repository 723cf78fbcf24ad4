"""Water among a few thick layers: one linearised implicit step after another, with its derivatives.

Between the layers i and i + 1, ℓ apart from centre to centre, flows (positive downward)

    q_i = K̄_i G_i,    G_i = (ψ_i − ψ_{i+1})/ℓ_i + 1,    K̄_i = (K_i + K_{i+1})/2

and over a step, linear in the change δ of the water contents,

    f_i = q_i + (∂q_i/∂θ_i) δ_i + (∂q_i/∂θ_{i+1}) δ_{i+1},    Δz_i δ_i/Δt = f_{i−1} − f_i − S_i

with f_0 given at the surface and f_N = β (K_N + K_N′ δ_N) at the foot (β = 1: unit gradient). The
water is moved by f rather than by δ, so that none is lost to the rounding of the solution.

After each step what a layer cannot hold goes to the one above, out of the first one as
exfiltration; and a layer below θ_min takes from the one below, the last one from the drainage.

The arithmetic mean K̄ keeps θ within its bounds at hourly steps, which the harmonic mean of TEM and
the mean saturation of CLM do not.

Derivatives keep θ before every step and solve one system for each: as it is for tangents,
transposed for gradients.
"""

from diffhydro.soil.redistribution.bounds import THETA_MIN
from diffhydro.soil.redistribution.solver import Moved, redistribute
from diffhydro.soil.redistribution.step import Layers, Push

__all__ = ["THETA_MIN", "Layers", "Moved", "Push", "redistribute"]

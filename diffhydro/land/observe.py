"""What an instrument reports of a run: weighted means of water content over depth.

Each instrument is a set of weights over layers, exact where it covers a part of a layer, and its
report is Σ w_i θ_i at the end of every step. θ is without the water that pressure adds below a
water table, since instruments see filled pores.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.core.grids import Column
from diffhydro.errors import InputError
from diffhydro.land.trajectory import Profile, Trajectory
from diffhydro.typing import Array, Float

Series = Float[Array, "*site time"]


def probe(run: Trajectory, depth: float) -> Series:
    """Return the water content at a depth: linear between layer centres, constant beyond them."""
    profile = _profile(run)
    _check_inside(profile.grid, depth=depth)
    return _weighted(profile, lambda one: _hats(one.grid, depth))


def skin(run: Trajectory, depth: float = 50.0, penetration: float | None = None) -> Series:
    """Return the water content near the surface, as a satellite sees it.

    Args:
        depth: How deep the instrument sees, mm.
        penetration: Depth over which the signal falls to 1/e, mm; None weights all depths alike.
    """
    if penetration is None:
        return layer_mean(run, 0.0, depth)
    profile = _profile(run)
    _check_inside(profile.grid, depth=depth)
    if not (depth > 0 and penetration > 0):
        raise InputError(f"depth is {depth} and penetration {penetration} mm; both must be > 0")

    def weights(one: Profile) -> Array:
        seen = jnp.minimum(one.grid.faces, depth)
        return jnp.diff(jnp.expm1(-seen / penetration)) / jnp.expm1(-seen[-1] / penetration)

    return _weighted(profile, weights)


def layer_mean(run: Trajectory, top: float, bottom: float) -> Series:
    """Return the mean water content between two depths."""
    profile = _profile(run)
    _check_inside(profile.grid, top=top, bottom=bottom)
    if not bottom > top:
        raise InputError(f"bottom is {bottom} mm; it must lie below top, {top} mm")

    def weights(one: Profile) -> Array:
        return jnp.diff(jnp.clip(one.grid.faces, top, bottom)) / (bottom - top)

    return _weighted(profile, weights)


def root_zone(run: Trajectory, depth: float | None = None) -> Series:
    """Return the mean water content of the root zone.

    Args:
        depth: Down to where all depths count alike, mm; None weights depths by their roots.
    """
    if depth is not None:
        return layer_mean(run, 0.0, depth)
    profile = _profile(run)
    if profile.root_share is None:
        raise InputError("the model has no roots to weight by; give a depth")

    def weights(one: Profile) -> Array:
        assert one.root_share is not None
        return one.root_share / jnp.sum(one.root_share)

    return _weighted(profile, weights)


def _weighted(profile: Profile, weights: Callable[[Profile], Array]) -> Series:
    def one(profile: Profile) -> Array:
        # A sum and not a matrix product, which would round to TF32 on a GPU.
        return jnp.sum(profile.theta * weights(profile)[None], axis=-1)

    for _ in range(profile.theta.ndim - 2):
        one = jax.vmap(one)
    return one(profile)


def _hats(grid: Column, depth: float) -> Float[Array, " layer"]:
    """Weights of linear interpolation."""
    centres = grid.centres
    if grid.layers == 1:
        return jnp.ones_like(centres)
    along = jnp.clip((depth - centres[:-1]) / jnp.diff(centres), 0.0, 1.0)
    full = jnp.ones_like(along[:1])
    # Layer i gains what the gap above it has passed, and loses what the gap below it has.
    return jnp.concatenate([full, along]) - jnp.concatenate([along, 0.0 * full])


def _profile(run: Trajectory) -> Profile:
    if run.profile is None:
        raise InputError("the run's model has no soil layers, so there is no depth to look at")
    return run.profile


def _check_inside(grid: Column, **depths: float) -> None:
    thickness = grid.thickness
    foot = np.inf if isinstance(thickness, Tracer) else np.asarray(thickness).sum(-1).min()
    # Thicknesses add up to the foot but for rounding.
    foot = foot * (1.0 + 1e-6)
    for name, depth in depths.items():
        if not 0.0 <= depth <= foot:
            raise InputError(f"{name} is {depth} mm; it must lie in the column, 0 to {foot:.6g} mm")

"""A calibration: a model, the weather of its sites, what was observed there, and what may change.

    L(z) = Σ_targets w (Σ r² + rest) + penalty(z),   g = ∂L/∂z,   H = 2 w JᵀJ + penalty″ ≈ ∂²L/∂z²

Sites do not see each other here. A batch takes a `lane` for every search that is going on, each
with a site and a vector z; J comes from forward mode, all lanes side by side, one tangent for each
entry of z.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.checks import check_own, check_starts, check_targets
from diffhydro.calibration.coordinates import Coordinates, choose
from diffhydro.calibration.objective import AbstractObjective, Lanes, Normal, Places
from diffhydro.calibration.prior import AbstractPrior
from diffhydro.core.parameters import values
from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.core.trainable import put
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Trajectory
from diffhydro.training.losses import AbstractLoss, MeanSquare, Parts, total
from diffhydro.typing import Array, Float

ERRORS = "errors"  # what parameters of losses are called by: errors.<target>.<parameter>


class Target(eqx.Module):
    """A series that the model gives and somebody measured.

    Args:
        name: What it is called in reports.
        observe: From a trajectory to the series, such as `partial(probe, depth=50.0)`.
        observed: `[site, time]`, NaN where there is nothing.
        loss: How far the two are apart.
        weight: Of this target among others.
    """

    name: str = eqx.field(static=True)
    observe: Callable[[Trajectory], Array] = eqx.field(static=True)
    observed: Float[Array, "site time"] = eqx.field(converter=jnp.asarray)
    loss: AbstractLoss = eqx.field(default_factory=MeanSquare)
    weight: float = eqx.field(static=True, default=1.0)


class Calibration(AbstractObjective):
    """What is to be fitted to what.

    Args:
        model: Of one site; what differs between sites is in `own`.
        forcing: Weather `[site, time]`.
        targets: What was observed at the same sites and times.
        train: Paths, parts and patterns of what may change, as `split` takes them. Parameters of a
            loss are called `errors.<target>.<parameter>`.
        own: By path, what differs between sites, `[site, ...]`, parameters of losses too. For a
            parameter that is calibrated it is where the search starts and what a prior pulls
            towards; a bound is left by a ten-thousandth of the range, for it has no slope.
        prior: A penalty.
        names: Of the sites.
        memory: What time loops keep for gradients in reverse mode.
    """

    model: AbstractModel
    forcing: Forcing
    targets: tuple[Target, ...]
    own: dict[str, Array]
    prior: AbstractPrior | None
    coordinates: Coordinates = eqx.field(static=True)
    names: tuple[str, ...] = eqx.field(static=True)
    memory: AbstractMemory

    def __init__(
        self,
        model: AbstractModel,
        forcing: Forcing,
        targets: Sequence[Target],
        train: str | Sequence[str],
        *,
        own: Mapping[str, Any] | None = None,
        prior: AbstractPrior | None = None,
        names: Sequence[str] = (),
        memory: AbstractMemory = SOLVED,
    ) -> None:
        # NumPy arrays cannot be looked up by a site that is traced.
        self.forcing = jax.tree.map(jnp.asarray, forcing)
        self.model, self.targets = model, tuple(targets)
        self.own = {path: jnp.asarray(x) for path, x in (own or {}).items()}
        self.prior, self.memory = prior, memory
        self.names = tuple(map(str, names)) or tuple(f"site {i}" for i in range(self.sites))
        check_targets(self.forcing.precipitation.shape, self.targets, self.names)
        self.forcing.require(model.needs, type(model).__name__)
        check_own(self.own, self.sites, (model, self._errors), self._shared)
        one = _first_whole(self.own)
        mine, law = _sorted({path: x[one] for path, x in self.own.items()})
        self.coordinates = choose((put(model, mine), put(self._errors, law)), train)
        check_starts(self.coordinates, self.own, self._shared)

    @property
    def sites(self) -> int:
        """The number of sites."""
        return self.forcing.precipitation.shape[0]

    @property
    def _errors(self) -> dict[str, dict[str, AbstractLoss]]:
        return {ERRORS: {target.name: target.loss for target in self.targets}}

    @property
    def _shared(self) -> dict[str, Array]:
        return {**values(self.model), **values(self._errors)}

    def before(self) -> Float[Array, "site entry"]:
        """Return the free numbers of what every site had before."""
        coordinates, shared = self.coordinates, self._shared

        def one(own: dict[str, Array]) -> Array:
            return coordinates.free(
                {path: own.get(path, shared.get(path)) for path in coordinates.paths}
            )

        own = {path: x for path, x in self.own.items() if path in coordinates.paths}
        return jax.vmap(one, axis_size=self.sites)(own)

    def of_sites(self, which: Sequence[int]) -> "Calibration":
        """Return the calibration of some sites, such as those of a training fold."""
        chosen = jnp.asarray(which)
        return Calibration(
            self.model,
            jax.tree.map(lambda x: x[chosen], self.forcing),
            [eqx.tree_at(lambda t: t.observed, t, t.observed[chosen]) for t in self.targets],
            self.coordinates.paths,
            own={path: x[chosen] for path, x in self.own.items()},
            prior=self.prior,
            names=[self.names[i] for i in which],
            memory=self.memory,
        )

    def model_at(self, z: Float[Array, " entry"], site: Array | int) -> AbstractModel:
        """Return the model of a site with some free numbers."""
        return self._at(z, site)[0]

    def losses_at(self, z: Float[Array, " entry"], site: Array | int) -> tuple[AbstractLoss, ...]:
        """Return the losses of all targets at a site with some free numbers."""
        return self._at(z, site)[1]

    def simulate(self, z: Lanes, site: Places) -> tuple[Array, ...]:
        """Return the simulated series `[lane, time]` of every target."""
        return jax.vmap(lambda z, site: self._run(z, site)[0])(z, site)

    def terms(self, z: Lanes, site: Places) -> dict[str, Array]:
        """Return the losses `[lane]` that the whole is made of, by name."""
        parts, penalty = self._parts(z, site)
        terms = {
            target.name: target.weight * jax.vmap(total)(part)
            for target, part in zip(self.targets, parts, strict=True)
        }
        return terms if penalty is None else {**terms, "prior": penalty}

    def loss(self, z: Lanes, site: Places) -> Float[Array, " lane"]:
        """Return the loss of every lane."""
        return sum(self.terms(z, site).values(), jnp.zeros((), z.dtype))

    def gradient(self, z: Lanes, site: Places) -> tuple[Array, Array]:
        """Return the loss `[lane]` and its gradient `[lane, entry]`, in reverse mode."""

        def summed(z: Array) -> tuple[Array, Array]:
            losses = self.loss(z, site)
            return jnp.sum(losses), losses

        gradient, losses = jax.grad(summed, has_aux=True)(z)
        return losses, gradient

    def normal(self, z: Lanes, site: Places) -> Normal:
        """Return loss, gradient and Gauss–Newton curvature, in forward mode."""

        def residuals(z: Array) -> tuple[Array, Array]:
            parts, _ = self._parts(z, site)
            pairs = list(zip(self.targets, parts, strict=True))
            found = [_residuals(target, part) for target, part in pairs]
            rest = sum((t.weight * part.rest for t, part in pairs), jnp.zeros((), z.dtype))
            return jnp.concatenate(found, axis=-1), rest

        def along(direction: Array) -> tuple[Any, Any]:
            (found, rest), tangents = jax.jvp(residuals, (z,), (direction,))
            return (found, rest), tangents

        each = jnp.broadcast_to(
            jnp.eye(z.shape[-1], dtype=z.dtype)[:, None], (z.shape[-1], *z.shape)
        )
        (found, rest), (jacobian, slope) = jax.vmap(along, out_axes=((None, None), 0))(each)
        loss = jnp.sum(found**2, axis=-1) + rest
        # An accelerator would round factors to ten bits, and a slope is a small rest of large sums.
        product = partial(jnp.einsum, precision="highest")
        gradient = 2.0 * product("klt,lt->lk", jacobian, found) + slope.T
        curvature = 2.0 * product("klt,jlt->lkj", jacobian, jacobian)
        if self.prior is None:
            return Normal(loss, gradient, curvature)
        centre = self.before().astype(z.dtype)[site]
        penalty, pull = jax.vmap(jax.value_and_grad(self.prior.penalty))(z, centre)
        bend = jax.vmap(jnp.diag)(jax.vmap(self.prior.curvature)(z, centre))
        return Normal(loss + penalty, gradient + pull, curvature + bend)

    def _parts(self, z: Lanes, site: Places) -> tuple[tuple[Parts, ...], Array | None]:
        parts = jax.vmap(lambda z, site: self._run(z, site)[1])(z, site)
        if self.prior is None:
            return parts, None
        centre = self.before().astype(z.dtype)[site]
        return parts, jax.vmap(self.prior.penalty)(z, centre)

    def _run(self, z: Array, site: Array) -> tuple[tuple[Array, ...], tuple[Parts, ...]]:
        model, errors = self._at(z, site)
        forcing = jax.tree.map(lambda x: x[site], self.forcing)
        run = model.run(forcing, memory=self.memory)
        series = tuple(target.observe(run) for target in self.targets)
        parts = tuple(
            loss.parts(one, target.observed[site].astype(one.dtype), jnp.ones_like(one))
            for one, target, loss in zip(series, self.targets, errors, strict=True)
        )
        return series, parts

    def _at(self, z: Array, site: Array | int) -> tuple[AbstractModel, tuple[AbstractLoss, ...]]:
        given = {path: x[site] for path, x in self.own.items()}
        mine, law = _sorted(given | self.coordinates.values(z))
        errors = put(self._errors, law)[ERRORS]
        # By name: a dict that went through a tree operation is in alphabetical order.
        return put(self.model, mine), tuple(errors[target.name] for target in self.targets)


def _sorted(found: Mapping[str, Array]) -> tuple[dict[str, Array], dict[str, Array]]:
    """Tell what belongs to the model from what belongs to losses."""
    law = {path: x for path, x in found.items() if path.startswith(f"{ERRORS}.")}
    return {path: x for path, x in found.items() if path not in law}, law


def _first_whole(own: Mapping[str, Array]) -> int:
    """Return the first site all of whose numbers are finite."""
    known = [np.isfinite(np.asarray(x)).reshape(len(x), -1).all(axis=1) for x in own.values()]
    return int(np.argmax(np.logical_and.reduce(known))) if known else 0


def _residuals(target: Target, parts: Parts) -> Array:
    if parts.residuals is None:
        raise InputError(
            f"the loss of {target.name}, {type(target.loss).__name__}, has no residuals, which "
            "Levenberg–Marquardt and the posterior need; take Lbfgs or Adam, or another loss"
        )
    return target.weight**0.5 * parts.residuals

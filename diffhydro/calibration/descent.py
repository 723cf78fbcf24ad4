"""Searches by the gradient alone: for any loss, and for more parameters than forward mode likes."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import optax

from diffhydro.calibration.coordinates import EDGE
from diffhydro.calibration.objective import AbstractObjective
from diffhydro.calibration.search import (
    CAPPED,
    CONVERGED,
    FAILED,
    RUNNING,
    AbstractMethod,
    Search,
    choose,
)
from diffhydro.typing import Array, Float, Int


class _Walk(NamedTuple):
    """Where a search stands, which need not be the best place, and when it last gained."""

    place: Float[Array, "lane entry"]
    mark: Float[Array, " lane"]  # the loss that counted as a gain
    idle: Int[Array, " lane"]  # rounds since
    rounds: Int[Array, " lane"]
    optimizer: Any


def _still(z: Array, optimizer: Any) -> _Walk:
    none = jnp.zeros(z.shape[:1], jnp.int32)
    return _Walk(z, jnp.full(z.shape[:1], jnp.inf, z.dtype), none, none, optimizer)


class Adam(AbstractMethod):
    """Adam (Kingma & Ba 2015): robust where losses are rough, slow at the end.

    Args:
        rate: Size of the steps of free numbers.
        tolerance: What counts as a gain, as a share of the loss.
        patience: Evaluations without a gain that end a search.
        most: Evaluations.
    """

    rate: float = eqx.field(static=True, default=0.1)
    tolerance: float = eqx.field(static=True, default=1e-4)
    patience: int = eqx.field(static=True, default=20)
    most: int = eqx.field(static=True, default=400)

    def remember(self, z: Float[Array, "lane entry"]) -> _Walk:
        return _still(z, jax.vmap(optax.adam(self.rate).init)(z))

    def advance(self, problem: AbstractObjective, site: Int[Array, " lane"], now: Search) -> Search:
        walk: _Walk = now.inner
        loss, gradient = problem.gradient(walk.place, site)
        # Optax mixes a float with its counter of steps, which strict promotion refuses.
        with jax.numpy_dtype_promotion("standard"):
            step, optimizer = jax.vmap(optax.adam(self.rate).update)(gradient, walk.optimizer)
        place = _inside(jnp.asarray(optax.apply_updates(walk.place, step)))
        one = jnp.ones_like(walk.rounds)
        return _ended(self, now, _Seen(loss, gradient, one), place, optimizer)


class Lbfgs(AbstractMethod):
    """L-BFGS with a line search (Nocedal & Wright 2006): fast where losses are smooth.

    A number on its edge stays there while the gradient points over it.

    Args:
        tolerance: What counts as a gain, as a share of the loss.
        patience: Steps without a gain that end a search.
        most: Steps.
        tries: Evaluations of one line search.
    """

    tolerance: float = eqx.field(static=True, default=1e-4)
    patience: int = eqx.field(static=True, default=3)
    most: int = eqx.field(static=True, default=60)
    tries: int = eqx.field(static=True, default=12)

    @property
    def _optimizer(self) -> optax.GradientTransformationExtraArgs:
        return optax.lbfgs(
            linesearch=optax.scale_by_zoom_linesearch(
                max_linesearch_steps=self.tries, initial_guess_strategy="one"
            )
        )

    def remember(self, z: Float[Array, "lane entry"]) -> _Walk:
        return _still(z, jax.vmap(self._optimizer.init)(z))

    def advance(self, problem: AbstractObjective, site: Int[Array, " lane"], now: Search) -> Search:
        walk: _Walk = now.inner

        def one(place: Array, site: Array, optimizer: Any) -> Any:
            def loss_of(z: Array) -> Array:
                return problem.loss(z[None], site[None])[0]

            # Evaluated anew: what the line search knows is of a place that may lie beyond the edge.
            loss, gradient = jax.value_and_grad(loss_of)(place)
            # The line search of optax mixes integers, which strict promotion refuses.
            with jax.numpy_dtype_promotion("standard"):
                step, optimizer = self._optimizer.update(
                    _open(place, gradient),
                    optimizer,
                    place,
                    value=loss,
                    grad=gradient,
                    value_fn=lambda z: loss_of(_inside(z)),
                )
            return loss, gradient, _inside(jnp.asarray(optax.apply_updates(place, step))), optimizer

        loss, gradient, place, optimizer = jax.vmap(one)(walk.place, site, walk.optimizer)
        tried = jnp.asarray(optax.tree.get(optimizer, "num_linesearch_steps"), jnp.int32)
        return _ended(self, now, _Seen(loss, gradient, tried + 1), place, optimizer)


class _Seen(NamedTuple):
    """What was found at the place where a walk was, in how many evaluations."""

    loss: Float[Array, " lane"]
    gradient: Float[Array, "lane entry"]
    evaluations: Int[Array, " lane"]


def _inside(z: Array) -> Array:
    return jnp.clip(z, -EDGE, EDGE)


def _open(place: Array, gradient: Array) -> Array:
    """Return the gradient without what would lead over the edge."""
    over = jnp.where(gradient < 0, place >= EDGE, place <= -EDGE)
    return jnp.where(over, 0.0, gradient)


def _ended(how: Adam | Lbfgs, now: Search, seen: _Seen, place: Array, optimizer: Any) -> Search:
    """Keep the best place, and see whether the search goes on.

    Args:
        place: Where the walk goes next.
    """
    walk: _Walk = now.inner
    loss, first = seen.loss, walk.rounds == 0
    finite = jnp.isfinite(loss) & jnp.all(jnp.isfinite(seen.gradient), axis=-1)
    # An infinite mark minus a share of an infinite loss would be no number.
    mark = jnp.where(first, loss, walk.mark)
    gained = first | (finite & (loss < mark - how.tolerance * jnp.abs(mark)))
    idle = jnp.where(gained, 0, walk.idle + 1)
    rounds = walk.rounds + 1
    status = jnp.where(rounds >= how.most, CAPPED, RUNNING)
    status = jnp.where(idle >= how.patience, CONVERGED, status)
    status = jnp.where(first & ~finite, FAILED, status).astype(jnp.int32)
    z, least = choose(finite & (loss < now.loss), (walk.place, loss), (now.z, now.loss))
    # From a place that is no number a walk begins anew at the best one, and remembers nothing.
    new = how.remember(z).optimizer
    place, optimizer = choose(finite, (place, optimizer), (z, new))
    walk = _Walk(place, jnp.where(gained, loss, mark), idle, rounds, optimizer)
    after = Search(z, least, status, now.evaluations + seen.evaluations, walk)
    return choose(now.running, after, now)

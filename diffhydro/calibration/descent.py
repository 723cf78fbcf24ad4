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
        gradient = jnp.where(jnp.isfinite(gradient), gradient, 0.0)
        step, optimizer = jax.vmap(optax.adam(self.rate).update)(gradient, walk.optimizer)
        place = jnp.clip(jnp.asarray(optax.apply_updates(walk.place, step)), -EDGE, EDGE)
        return _ended(self, now, loss, place, optimizer, jnp.ones_like(walk.rounds))


class Lbfgs(AbstractMethod):
    """L-BFGS with a line search (Nocedal & Wright 2006): fast where losses are smooth.

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

            # The line search of optax mixes integers, which strict promotion refuses.
            with jax.numpy_dtype_promotion("standard"):
                loss, gradient = optax.value_and_grad_from_state(loss_of)(place, state=optimizer)
                step, optimizer = self._optimizer.update(
                    gradient, optimizer, place, value=loss, grad=gradient, value_fn=loss_of
                )
            return (
                loss,
                jnp.clip(jnp.asarray(optax.apply_updates(place, step)), -EDGE, EDGE),
                optimizer,
            )

        loss, place, optimizer = jax.vmap(one)(walk.place, site, walk.optimizer)
        # The first point of a line search is evaluated before it, once; later ones within it.
        tried = jnp.asarray(optax.tree.get(optimizer, "num_linesearch_steps"), jnp.int32)
        tried = tried + (walk.rounds == 0).astype(jnp.int32)
        return _ended(self, now, loss, place, optimizer, tried)


def _ended(
    how: Adam | Lbfgs, now: Search, loss: Array, place: Array, optimizer: Any, evaluations: Array
) -> Search:
    """Keep the best place, and see whether the search goes on.

    Args:
        loss: At the place where the walk was.
        place: Where it goes next.
    """
    walk: _Walk = now.inner
    finite, first = jnp.isfinite(loss), walk.rounds == 0
    # An infinite mark minus a share of an infinite loss would be no number.
    mark = jnp.where(first, loss, walk.mark)
    gained = first | (finite & (loss < mark - how.tolerance * jnp.abs(mark)))
    idle = jnp.where(gained, 0, walk.idle + 1)
    rounds = walk.rounds + 1
    status = jnp.where(rounds >= how.most, CAPPED, RUNNING)
    status = jnp.where(idle >= how.patience, CONVERGED, status)
    status = jnp.where(first & ~finite, FAILED, status).astype(jnp.int32)
    z, least = choose(finite & (loss < now.loss), (walk.place, loss), (now.z, now.loss))
    walk = _Walk(place, jnp.where(gained, loss, mark), idle, rounds, optimizer)
    after = Search(z, least, status, now.evaluations + evaluations, walk)
    return choose(now.running, after, now)

"""A check of gradients that passes those that are right, and no others."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import parameter
from diffhydro.evaluation import gradient_error

RAIN = np.array([[0.0, 3.0, 1.0, 0.0], [5.0, 0.0, 0.0, 2.0]], np.float32)
SEEN = np.array([[0.2, np.nan, 0.3, 0.2], [0.4, 0.3, 0.2, 0.1]], np.float32)


class Share(eqx.Module):
    """Predicts a share of the rain."""

    share: jax.Array = parameter(
        unit="-", bounds=(0.01, 0.9), default=0.2, description="of the rain"
    )

    def __call__(self, rain):
        return self.share * rain + 0.1


class Wrong(Share):
    """The same, and its derivative is half of what it should be."""

    def __call__(self, rain):
        half = jnp.asarray(0.5, rain.dtype) * self.share
        return (half + jax.lax.stop_gradient(half)) * rain + 0.1


def single(model):
    return jax.tree.map(lambda x: x.astype(jnp.float32), model)


def test_right_gradients_pass_in_double_precision_whatever_the_model_has():
    assert gradient_error(single(Share()), RAIN, SEEN) < 1e-8


def test_a_wrong_one_is_seen():
    assert gradient_error(single(Wrong()), RAIN, SEEN) == pytest.approx(0.5, abs=1e-6)

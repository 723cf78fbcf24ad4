"""Networks compute in few bits; everything else keeps its type."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import stack
from diffhydro.errors import InputError
from diffhydro.training.fit import Optimizer, computing_in, fit
from tests.training.fit.models import Line, batches, bent, plain, same

KEY = jax.random.key(0)
F32 = np.float32


def test_only_the_computing_changes():
    model = bent(dtype=F32)
    half = computing_in(model, "bfloat16")
    assert half.head.compute == "bfloat16"
    assert model.head.compute is None
    same(jax.tree.leaves(half), jax.tree.leaves(model))
    same(computing_in(half, None), model)
    assert computing_in({"a": [model, model]}, "bfloat16")["a"][1].head.compute == "bfloat16"
    assert computing_in(stack([model, model]), "bfloat16").head.compute == "bfloat16"


@pytest.mark.slow
def test_outputs_are_rounded_and_keep_their_type():
    x = jnp.linspace(-1.0, 1.0, 50, dtype=F32)
    whole, half = (
        model(x) for model in (bent(dtype=F32), computing_in(bent(dtype=F32), "bfloat16"))
    )
    assert half.dtype == F32
    error = float(jnp.max(jnp.abs(whole - half)))
    # A few roundings of bfloat16, which has 8 bits.
    assert 1e-5 < error < 8 * 2.0**-8 * float(jnp.max(jnp.abs(whole)))


@pytest.mark.slow
def test_it_trains_as_well():
    given = {"key": KEY, "epochs": 40, "optimizer": Optimizer(0.05, clip=1.0)}
    data = batches(12, 4, dtype=F32)
    half = fit(computing_in(bent(dtype=F32), "bfloat16"), data, plain, **given)
    types = {x.dtype for x in jax.tree.leaves((half.model, half.state.walk.descent.average))}
    assert types == {np.dtype(F32)}
    moments = jax.tree.leaves(half.state.walk.descent.optimizer)
    assert {x.dtype for x in moments} == {np.dtype(F32), np.dtype(np.int32)}
    losses = half.history.column("training.total")
    assert losses[-1] < 0.05 * losses[0]


def test_errors():
    with pytest.raises(InputError, match="Line has no network"):
        computing_in(Line(), "bfloat16")
    with pytest.raises(InputError, match="not in 'half'"):
        computing_in(bent(), "half")

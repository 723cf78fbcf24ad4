"""The one door to Flax: a network as a value that is called like a function.

Everyone else sees arrays in, arrays out. The code of a network is static, its weights are leaves
under one mark, so that `split` and checkpoints find them as they find the parameters of physics. A
network has weights and nothing else: no running statistics, no key of its own. Without a `key`
there is no dropout.
"""

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, cast

import equinox as eqx
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from flax.errors import ScopeParamShapeError
from jax.core import Tracer

from diffhydro.core.parameters import weights
from diffhydro.errors import InputError
from diffhydro.typing import Array, Key, PyTree


class AbstractHead(eqx.Module):
    """A function of arrays with weights; leading axes are windows, sites or pixels."""

    @abstractmethod
    def __call__(self, *inputs: Array, key: Key[Array, ""] | None = None) -> Array:
        """Return the outputs; a key asks for dropout."""


class FlaxHead(AbstractHead):
    """A Linen module and its weights.

    >>> from diffhydro.networks.mlp import Mlp
    >>> head = FlaxHead.create(Mlp(hidden=(8,), out=2), jnp.zeros((5,)), key=jax.random.key(0))
    >>> head(jnp.ones((3, 5))).shape, head.count
    ((3, 2), 66)

    Args:
        network: Its code; a frozen value.
        params: Its weights.
        compute: Type that it computes in, such as bfloat16; weights stay in their own, and outputs
            come in that of the weights.
    """

    network: nn.Module = eqx.field(static=True)
    params: PyTree = weights(description="weights of a network")
    compute: str | None = eqx.field(static=True, default=None)

    @staticmethod
    def create(
        network: nn.Module,
        *example: Array,
        key: Key[Array, ""],
        dtype: Any = None,
        compute: str | None = None,
    ) -> "FlaxHead":
        """Draw the weights for inputs of some shapes.

        Args:
            example: Inputs of the right shapes; the values do not matter.
            dtype: Of the weights; the default float type if not given.
        """
        dtype = jax.dtypes.canonicalize_dtype(dtype or float)
        shapes = (np.zeros(np.shape(x), np.float32) for x in example)
        drawn = _drawn(network, key, tuple(shapes))
        if extra := sorted(set(drawn) - {"params"}):
            raise InputError(
                f"{type(network).__name__} keeps {', '.join(extra)} beside its weights; a head has "
                "weights only. Use GroupNorm or LayerNorm in place of BatchNorm"
            )
        params = jax.tree.map(lambda x: x.astype(dtype), drawn.get("params", {}))
        return FlaxHead(network, params, compute)

    @property
    def dtype(self) -> Any:
        """Give the type of the weights, which is that of the outputs."""
        leaves = jax.tree.leaves(self.params)
        return leaves[0].dtype if leaves else jnp.zeros(()).dtype

    @property
    def count(self) -> int:
        """Count the weights."""
        return sum(x.size for x in jax.tree.leaves(self.params))

    def __call__(self, *inputs: Array, key: Key[Array, ""] | None = None) -> Array:
        return cast(Array, self.outputs(*inputs, key=key))

    def outputs(
        self,
        *inputs: PyTree,
        key: Key[Array, ""] | None = None,
        method: Callable[..., Any] | None = None,
    ) -> PyTree:
        """Return what a method of the network returns, such as `Lstm.roll`; a key asks for dropout.

        State that goes in and out, too, is rounded to the type that the network computes in.
        """
        compute = self.compute or self.dtype
        params, inputs = jax.tree.map(lambda x: x.astype(compute), (self.params, inputs))
        rngs = None if key is None else {"dropout": key}
        try:
            given = self.network.apply({"params": params}, *inputs, rngs=rngs, method=method)
            return jax.tree.map(lambda x: x.astype(self.dtype), given)
        except ScopeParamShapeError as error:
            shapes = ", ".join(str(x.shape) for x in jax.tree.leaves(inputs))
            raise InputError(
                f"{type(self.network).__name__} was made for inputs of other shapes than {shapes}: "
                f"{error}"
            ) from None


def _drawn(network: nn.Module, key: Key[Array, ""], example: tuple[Any, ...]) -> dict[str, Any]:
    """Return what a network begins with."""
    if isinstance(key, Tracer):
        return jax.jit(network.init)(key, *example)
    # Random numbers take XLA:CPU a second of compiling per shape when it does its best.
    quickly: Any = {"xla_backend_optimization_level": 1}
    with jax.ensure_compile_time_eval():
        program = jax.jit(network.init).lower(key, *example)
        return program.compile(compiler_options=quickly)(key, *example)

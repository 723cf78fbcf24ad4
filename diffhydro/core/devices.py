"""Columns over several devices: the first axis is dealt out, what lacks it goes to all."""

from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

_AXIS = "site"


def spread(tree: Any, size: int) -> Any:
    """Deal arrays whose first axis has `size` entries out over all devices, in equal shares.

    With one device, or where the shares would not be equal, everything stays as it is.
    """
    devices = jax.devices()
    if len(devices) == 1 or size % len(devices):
        return tree
    mesh = Mesh(np.array(devices), (_AXIS,))

    def place(x: Any) -> Any:
        if not isinstance(x, jax.Array | np.ndarray):
            return x
        dealt = x.ndim > 0 and x.shape[0] == size
        return jax.device_put(
            x, NamedSharding(mesh, PartitionSpec(_AXIS) if dealt else PartitionSpec())
        )

    return jax.tree.map(place, tree)

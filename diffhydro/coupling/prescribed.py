"""Parameters that are known of a place: from a table, a map, or a law of its texture.

Nothing is learned here. What is prescribed is where a head begins: a coupling above that learns the
same parameters moves them from their values at each site, p = constrain(free(p_site) + y).
"""

from collections.abc import Mapping

import equinox as eqx

from diffhydro.core.parameters import specs
from diffhydro.core.trainable import put, unknown
from diffhydro.coupling.hybrid import AbstractHybrid, Bound, Physics, bind, check_physics
from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.typing import Array, Key


class Prescribed(AbstractHybrid):
    """Attributes → parameters of the physics, as they are.

    >>> import jax.numpy as jnp
    >>> from diffhydro.land.hbv import Hbv
    >>> known = Prescribed(Hbv(), {"field_capacity": "capacity"})
    >>> at = Inputs({"precipitation": jnp.zeros((2, 3))}, {"capacity": jnp.array([90.0, 400.0])})
    >>> known.bind(at).model.field_capacity.tolist()
    [90.0, 400.0]

    Args:
        physics: A land model, or another hybrid.
        attributes: Name of the attribute of each parameter, by path in `physics`; a mapping, or
            pairs.
    """

    physics: Physics
    attributes: tuple[tuple[str, str], ...] = eqx.field(
        static=True,
        converter=lambda given: tuple(given.items() if isinstance(given, Mapping) else given),
    )

    def __check_init__(self) -> None:
        check_physics(self, self.physics)
        for path, _ in self.attributes:
            try:
                put(self.physics, {path: 0.0})
            except KeyError:
                raise InputError(
                    f"Prescribed sets {path!r}. {unknown(path, specs(self.physics))}"
                ) from None

    def bind(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Bound:
        inner = bind(self.physics, inputs, key=key)
        names = [name for _, name in self.attributes]
        values = inputs.fixed(names)
        found = {inner.place(path): values[..., i] for i, (path, _) in enumerate(self.attributes)}
        # A flag such as `is_wetland` is no parameter with bounds, and is set like one.
        model = put(inner.model, found)
        before, after = inner.moved_to
        by_site = tuple(dict.fromkeys((*inner.by_site, *found)))
        return Bound(model, inner.drive, by_site, ("physics." + before, after))

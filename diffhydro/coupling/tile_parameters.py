"""Parameters of a map: a network sees the whole tile once, and every pixel gets its own.

    maps [*tile, y, x] → U-Net → parameters [*tile, y, x] → a land model in every pixel

What a pixel's soil is like then depends on what lies around it. Weather comes as series of the tile
(`[*tile, time]`, the same for all its pixels) or of the pixels (`[*tile, y, x, time]`).
"""

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.timeloop import SOLVED, AbstractMemory
from diffhydro.core.trainable import owners
from diffhydro.coupling.features import Features
from diffhydro.coupling.heads import check_head
from diffhydro.coupling.hybrid import check_physics
from diffhydro.coupling.inputs import Inputs
from diffhydro.coupling.learned import Learned, learned, written
from diffhydro.coupling.observed import AbstractInstrument, Probe
from diffhydro.coupling.predictor import AbstractPredictor
from diffhydro.errors import InputError
from diffhydro.land.model import AbstractModel
from diffhydro.land.trajectory import Trajectory
from diffhydro.networks import AbstractHead
from diffhydro.typing import Array, Float, Key


class TileParameters(AbstractPredictor):
    """Maps → U-Net → parameters of a land model in every pixel.

    Args:
        physics: A land model; its own values are where the head begins.
        head: `[*tile, y, x, feature]` to `[*tile, y, x, learned]`.
        features: The maps that the head reads, as attributes `[*tile, y, x]`.
        learns: Paths of parameters in `physics`.
        side: Pixels along a tile, of which head and maps must be.
        instrument: How a pixel is seen.
        columns: Most pixels side by side.
        memory: What the time loop keeps for a gradient.
    """

    physics: AbstractModel
    head: AbstractHead
    features: Features
    learns: tuple[str, ...] = eqx.field(static=True, converter=tuple)
    side: int = eqx.field(static=True, default=64)
    instrument: AbstractInstrument = eqx.field(default_factory=Probe)
    columns: int | None = eqx.field(static=True, default=1024)
    memory: AbstractMemory = SOLVED

    def __check_init__(self) -> None:
        check_physics(self, self.physics)
        mine, who = self.learned, type(self).__name__
        owners(self)
        what = f"one map for each of {', '.join(mine.specs)}"
        shape = (self.side, self.side, len(self.features.attributes))
        check_head(self.head, shape, mine.count, who, what)

    @property
    def learned(self) -> Learned:
        """Give what the head computes."""
        return learned(self.physics, self.learns, type(self).__name__)

    def parameters(
        self, inputs: Inputs, *, key: Key[Array, ""] | None = None
    ) -> dict[str, Float[Array, "*tile y x"]]:
        """Give the maps of the parameters, by path in `physics`."""
        return self.learned.moved(self.head(self.features.fixed(inputs), key=key), {})

    def simulate(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Trajectory:
        """Go through time in all pixels of all tiles, which become the sites, row by row."""
        found = self.parameters(inputs, key=key)
        grid = self._grid(inputs)
        flat = {path: x.reshape(-1, *x.shape[len(grid) :]) for path, x in found.items()}
        series = {name: _by_pixel(name, x, grid) for name, x in inputs.series.items()}
        forcing = Inputs(series, step=inputs.step).forcing()
        return written(self.physics, flat).simulate(
            forcing, by_site=tuple(flat), columns=self.columns, memory=self.memory
        )

    def __call__(self, inputs: Inputs, *, key: Key[Array, ""] | None = None) -> Float[Array, "..."]:
        seen = self.instrument(self.simulate(inputs, key=key))
        return seen.reshape(*self._grid(inputs), *seen.shape[1:])

    def _grid(self, inputs: Inputs) -> tuple[int, ...]:
        grid = inputs.fixed(self.features.attributes).shape[:-1]
        if len(grid) < 2 or grid[-2:] != (self.side, self.side):
            raise InputError(
                f"the maps are {grid}; TileParameters was made for tiles of {self.side} × "
                f"{self.side} pixels, on the last two axes"
            )
        return grid


def _by_pixel(name: str, x: Array, grid: tuple[int, ...]) -> Float[Array, "pixel time"]:
    if x.shape[:-1] == grid[:-2]:
        x = jnp.broadcast_to(x[..., None, None, :], (*grid, x.shape[-1]))
    if x.shape[:-1] != grid:
        raise InputError(f"{name} has shape {x.shape}; expected {grid[:-2]} or {grid}, and time")
    return x.reshape(-1, x.shape[-1])

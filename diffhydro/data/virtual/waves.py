"""Random fields on the sphere: sums of plane waves through it.

    f(x) = K^(−1/2) Σ a_k cos(k·x) + b_k sin(k·x),    k ~ N(0, ℓ⁻² I),   a, b ~ N(0, 1)

is Gaussian in the limit, with variance 1 and correlation exp(−r²/2ℓ²) at a chord r (random Fourier
features; Rahimi & Recht 2007). A field costs one product of matrices wherever it is wanted, and has
the same value at a place whichever other places are asked for beside it. In time the amplitudes
are first-order autoregressive, so every place has that memory.
"""

from dataclasses import dataclass

import numpy as np

EARTH = 6371.0  # km
COUNT = 192


@dataclass(frozen=True)
class Waves:
    """Wave vectors, 1/km `[wave, 3]`."""

    vectors: np.ndarray

    @classmethod
    def draw(cls, seed: list[int], length: float, count: int = COUNT) -> "Waves":
        """Draw the waves of a field with correlation length `length`, km."""
        return cls(np.random.default_rng(seed).normal(0.0, 1.0 / length, (count, 3)))

    def at(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Give the waves at places `[place, 2 wave]`; times amplitudes they are fields."""
        phase = position(latitude, longitude) @ self.vectors.T
        both = np.concatenate([np.cos(phase), np.sin(phase)], axis=-1)
        return both / np.sqrt(len(self.vectors))


def position(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Give places as points of space, km."""
    row, column = np.radians(latitude), np.radians(longitude)
    flat = np.cos(row)
    return EARTH * np.stack([flat * np.cos(column), flat * np.sin(column), np.sin(row)], axis=-1)


def still(seed: list[int], length: float, latitude: np.ndarray, longitude: np.ndarray):
    """Give a field that does not change, at places."""
    waves = Waves.draw([*seed, 0], length)
    return waves.at(latitude, longitude) @ np.random.default_rng([*seed, 1]).normal(
        size=2 * len(waves.vectors)
    )


@dataclass(frozen=True)
class Moving:
    """A field that changes from day to day.

    Args:
        seed: Of this field alone.
        length: Correlation length, km.
        memory: Correlation from one day to the next.
    """

    seed: tuple[int, ...]
    length: float
    memory: float

    def at(self, latitude: np.ndarray, longitude: np.ndarray, days: int) -> np.ndarray:
        """Give the field `[place, day]`."""
        waves = Waves.draw([*self.seed, 0], self.length)
        return waves.at(latitude, longitude) @ self._amplitudes(2 * len(waves.vectors), days)

    def _amplitudes(self, count: int, days: int) -> np.ndarray:
        draws = np.random.default_rng([*self.seed, 1]).normal(size=(days, count))
        draws[1:] *= np.sqrt(1.0 - self.memory**2)
        for day in range(1, days):
            draws[day] += self.memory * draws[day - 1]
        return draws.T

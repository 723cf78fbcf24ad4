"""Soil texture: shares of sand, silt and clay, and the twelve classes of the USDA triangle.

Shares are percentages here, and are always divided by their sum first (99 % and 101 % are common
in maps): sa = 100 sand/T, si = 100 silt/T, cl = 100 − sa − si.
"""

from typing import Any, NamedTuple

import numpy as np

from diffhydro.core.parameters import as_parameter
from diffhydro.errors import InputError
from diffhydro.soil.hydraulics.domain import check_values
from diffhydro.typing import Array, ArrayLike, Float

__all__ = ["CENTROIDS", "Texture", "centroid", "normalise", "texture_class"]


class Texture(NamedTuple):
    """Shares of sand, silt and clay in percent."""

    sand: float
    silt: float
    clay: float


CENTROIDS = {
    "sand": Texture(92, 5, 3),
    "loamy sand": Texture(82, 12, 6),
    "sandy loam": Texture(58, 32, 10),
    "loam": Texture(43, 39, 18),
    "silt loam": Texture(17, 70, 13),
    "silt": Texture(10, 85, 5),
    "sandy clay loam": Texture(58, 15, 27),
    "clay loam": Texture(32, 34, 34),
    "silty clay loam": Texture(10, 56, 34),
    "sandy clay": Texture(52, 6, 42),
    "silty clay": Texture(6, 47, 47),
    "clay": Texture(22, 20, 58),
}  # the middle of each class, Cosby et al. 1984


def named(texture: str, known: Any) -> Any:
    """Look up a texture class, and list the known ones where it is not among them."""
    key = " ".join(texture.lower().replace("_", " ").replace("-", " ").split())
    if key not in known:
        raise InputError(f"no texture is called {texture!r}; the known ones are {', '.join(known)}")
    return known[key]


def centroid(texture: str) -> Texture:
    """Give the sand, silt and clay of a class's middle, by the class's USDA name."""
    return named(texture, CENTROIDS)


def normalise(
    sand: Float[ArrayLike, "..."], silt: Float[ArrayLike, "..."], clay: Float[ArrayLike, "..."]
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """Scale the three shares to a sum of 100 %. They may come as fractions."""
    shares = {"sand": as_parameter(sand), "silt": as_parameter(silt), "clay": as_parameter(clay)}
    for name, share in shares.items():
        check_values(name, share, (None, 0.0, None, None), "give shares in percent, none negative")
    total = shares["sand"] + shares["silt"] + shares["clay"]
    check_values("sand + silt + clay", total, (0.0, None, None, None), "give the three shares")
    sa, si = 100.0 * shares["sand"] / total, 100.0 * shares["silt"] / total
    return sa, si, 100.0 - sa - si


def texture_class(
    sand: Float[ArrayLike, "..."], silt: Float[ArrayLike, "..."], clay: Float[ArrayLike, "..."]
) -> Any:
    """Name the USDA class of a texture; an array of textures gives an array of names.

    For concrete numbers only: a name cannot be traced.

    Example:
        >>> str(texture_class(43, 39, 18))
        'loam'
    """
    # Exact percentages lie on class boundaries: the rounding of the sum must not move them over.
    sa, si, cl = (np.round(np.asarray(x, np.float64), 4) for x in normalise(sand, silt, clay))
    rules = {
        "sand": si + 1.5 * cl < 15,
        "loamy sand": si + 2 * cl < 30,
        "sandy loam": ((cl >= 7) & (cl < 20) & (sa > 52)) | ((cl < 7) & (si < 50)),
        "loam": (cl >= 7) & (cl < 27) & (si >= 28) & (si < 50) & (sa <= 52),
        "silt loam": ((si >= 50) & (cl >= 12) & (cl < 27)) | ((si >= 50) & (si < 80) & (cl < 12)),
        "silt": (si >= 80) & (cl < 12),
        "sandy clay loam": (cl >= 20) & (cl < 35) & (si < 28) & (sa > 45),
        "clay loam": (cl >= 27) & (cl < 40) & (sa > 20) & (sa <= 45),
        "silty clay loam": (cl >= 27) & (cl < 40) & (sa <= 20),
        "sandy clay": (cl >= 35) & (sa > 45),
        "silty clay": (cl >= 40) & (si >= 40),
        "clay": (cl >= 40) & (sa <= 45) & (si < 40),
    }
    # The first rule that holds wins, as in the published list, where later rules exclude earlier.
    return np.select(list(rules.values()), list(rules), default="unclassified")[()]

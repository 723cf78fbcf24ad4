"""Where sites are, and how far apart: names, coordinates, great-circle distances in km.

    a = sin²(Δφ/2) + cos φ₁ cos φ₂ sin²(Δλ/2),    distance = 2 R asin √a      (haversine)

Searches for what is near go over chords through the sphere, which order points as distances do:
chord = 2 sin(distance / 2R) in units of R.
"""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

EARTH_RADIUS = 6371.0088  # km, mean radius, IUGG


@dataclass(frozen=True, eq=False)
class Places:
    """Sites by name, with their coordinates in degrees.

    Args:
        times: Of the series that the sites have; None where only space matters.
    """

    names: tuple[str, ...]
    latitude: np.ndarray
    longitude: np.ndarray
    times: np.ndarray | None = None

    def __post_init__(self):
        """Refuse names that are not unique, and coordinates that are missing or impossible."""
        lengths = {len(self.names), len(self.latitude), len(self.longitude)}
        if len(lengths) > 1:
            raise InputError(
                f"{len(self.names)} names, {len(self.latitude)} latitudes and "
                f"{len(self.longitude)} longitudes; every site needs one of each"
            )
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise InputError(f"more than one site is called {', '.join(twice[:3])}")
        good = (np.abs(self.latitude) <= 90.0) & (np.abs(self.longitude) <= 360.0)
        if not good.all():
            i = int(np.flatnonzero(~good)[0])
            raise InputError(
                f"site {self.names[i]} lies at latitude {self.latitude[i]}, longitude "
                f"{self.longitude[i]}; {int((~good).sum())} of {len(good)} sites have no place"
            )

    @classmethod
    def of(cls, sites: Union["Places", "xr.Dataset"]) -> "Places":
        """Take them from a data set of the schema with the dimension `site`."""
        if isinstance(sites, Places):
            return sites
        lacking = [n for n in ("site", "latitude", "longitude") if n not in sites.variables]
        if lacking:
            raise InputError(f"the data set has no {', '.join(lacking)}; its sites have no place")
        return cls(
            tuple(str(name) for name in sites["site"].values),
            np.asarray(sites["latitude"].values, np.float64),
            np.asarray(sites["longitude"].values, np.float64),
            sites["time"].values if "time" in sites.variables else None,
        )

    def __len__(self) -> int:
        """Count the sites."""
        return len(self.names)


def distance(
    latitude: np.ndarray, longitude: np.ndarray, latitudes: np.ndarray, longitudes: np.ndarray
) -> np.ndarray:
    """Give the great-circle distance in km, by numpy's rules for shapes.

    >>> one_degree = distance(np.array(0.0), np.array(179.5), np.array(0.0), np.array(-179.5))
    >>> round(float(one_degree), 1)
    111.2
    """
    one, other = np.radians(latitude), np.radians(latitudes)
    aside = np.radians(longitudes - longitude)
    a = np.sin((other - one) / 2) ** 2 + np.cos(one) * np.cos(other) * np.sin(aside / 2) ** 2
    return 2.0 * EARTH_RADIUS * np.arcsin(np.sqrt(np.minimum(a, 1.0)))


def pairs_within(places: Places, reach: float) -> np.ndarray:
    """Give all pairs of sites at most `reach` km apart, `[pair, 2]`, the lower index first."""
    from scipy.spatial import KDTree

    near = KDTree(_on_sphere(places)).query_pairs(_chord(reach), output_type="ndarray")
    return np.sort(near, axis=1)


def is_near(places: Places, others: np.ndarray, reach: float) -> np.ndarray:
    """Tell of every site whether it is less than `reach` km from any of `others` (indices)."""
    from scipy.spatial import KDTree

    if reach <= 0.0 or len(others) == 0:
        return np.zeros(len(places), bool)
    points = _on_sphere(places)
    nearest, _ = KDTree(points[others]).query(points)
    return np.asarray(nearest) < _chord(reach)


def _on_sphere(places: Places) -> np.ndarray:
    latitude, longitude = np.radians(places.latitude), np.radians(places.longitude)
    flat = np.cos(latitude)
    return np.stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)], axis=-1)


def _chord(reach: float) -> float:
    """Turn a distance into a chord; beyond the antipodes everything is near."""
    angle = reach / (2.0 * EARTH_RADIUS)
    return 2.0 * np.sin(angle) if angle < np.pi / 2 else 3.0

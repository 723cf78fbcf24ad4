import numpy as np
import pytest

from diffhydro.data.regions import cluster, representatives, thin
from diffhydro.errors import InputError
from tests.data.regions.blobs import clouds


def test_representatives_are_the_middles_of_groups():
    rng = np.random.default_rng(0)
    middles = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    groups = np.repeat(np.arange(4), 20)
    points = middles[groups] + rng.normal(size=(80, 2))
    chosen = representatives(points, 4)
    assert groups[chosen].tolist() == [0, 1, 2, 3]
    for group, row in enumerate(chosen):
        own = points[groups == group]
        nearest = ((own - own.mean(axis=0)) ** 2).sum(axis=1).argmin()
        assert row == np.flatnonzero(groups == group)[nearest]


def test_few_and_equal_points():
    points = np.random.default_rng(0).normal(size=(5, 2))
    assert representatives(points, 5).tolist() == [0, 1, 2, 3, 4]
    assert len(representatives(points, 1)) == 1
    doubled = np.repeat(points[:2], 4, axis=0)
    assert representatives(doubled, 3).tolist() == [0, 4]
    with pytest.raises(InputError, match="at least one"):
        representatives(points, 0)


def test_only_big_clusters_are_thinned():
    features, _ = clouds()
    regions = cluster(features, into=4, starts=5)
    kept = thin(regions, features, most=28)
    assert np.bincount(regions.site_labels[kept]).tolist() == [28, 15, 25, 28]
    assert (np.diff(kept) > 0).all()
    np.testing.assert_array_equal(kept, thin(regions, features, most=28))
    with pytest.raises(InputError, match="in their order"):
        thin(regions, features.take(np.arange(10)), most=5)

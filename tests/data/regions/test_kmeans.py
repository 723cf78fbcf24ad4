import subprocess
import sys

import numpy as np
import pytest

from diffhydro.data.regions.kmeans import Lloyd, MiniBatch, Search, fits, nearest
from diffhydro.errors import InputError
from tests.data.regions.blobs import clouds


def standardised():
    features, own = clouds()
    values = features.values
    return (values - values.mean(axis=0)) / values.std(axis=0), own


def all_fits(points, k, numbers, search, batch=4):
    return [start for some in fits(points, k, numbers, search, batch) for start in some]


@pytest.mark.parametrize("method", [MiniBatch(size=64), Lloyd()])
def test_a_start_is_its_seeds_alone(method):
    points = np.random.default_rng(1).normal(size=(300, 3))
    search = Search(method=method, seed=5)
    whole = all_fits(points, 4, range(8), search)
    some = all_fits(points, 4, [6, 2], search, batch=1)
    for start in some:
        np.testing.assert_array_equal(start.centres, whole[start.number].centres)
        np.testing.assert_array_equal(start.labels, whole[start.number].labels)
    other = all_fits(points, 4, range(8), Search(method=method, seed=6))
    assert any((a.labels != b.labels).any() for a, b in zip(whole, other, strict=True))


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_number_of_workers_does_not_matter():
    points, _ = standardised()
    for method in (MiniBatch(size=64), Lloyd()):
        one, two = (all_fits(points, 3, range(7), Search(method=method, workers=w)) for w in (1, 2))
        assert [s.number for s in two] == list(range(7))
        for a, b in zip(one, two, strict=True):
            np.testing.assert_array_equal(a.centres, b.centres)


def test_the_same_partition_has_the_same_numbers():
    points, own = standardised()
    found = [s for s in all_fits(points, 4, range(20), Search(method=Lloyd())) if pure(s, own)]
    assert len(found) > 5
    for start in found:
        assert (np.diff(start.centres[:, 0]) > 0).all()
        np.testing.assert_array_equal(start.labels, found[0].labels)


def pure(start, own):
    return all(len(np.unique(own[start.labels == i])) == 1 for i in range(4))


def test_nearest_does_not_depend_on_the_others():
    rng = np.random.default_rng(0)
    points, centres = rng.normal(size=(500, 7)), rng.normal(size=(9, 7))
    together = nearest(points, centres)
    direct = ((points[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_array_equal(together, direct)
    np.testing.assert_array_equal(together, [nearest(p[None], centres)[0] for p in points])
    assert nearest(np.array([[0.5]]), np.array([[0.0], [1.0]])).tolist() == [0]


def test_more_clusters_than_distinct_places_are_refused():
    points = np.repeat(np.arange(3.0)[:, None], 5, axis=0)
    with pytest.raises(InputError, match=r"15 places \(3 distinct\) cannot form 4 clusters"):
        all_fits(points, 4, [0], Search())
    with pytest.raises(InputError, match="cannot form 1 clusters"):
        all_fits(points, 1, [0], Search())


@pytest.mark.exhaustive
@pytest.mark.slow
def test_nothing_leaks_from_worker_processes():
    """Neither warnings nor leftovers, also where a start cannot fill its clusters."""
    code = """
import numpy as np
from diffhydro.data.regions.kmeans import Lloyd, Search, fits
points = np.repeat(np.arange(50.0)[:, None], 2, axis=0)
points[:99] *= 1e-9
list(fits(points, 7, range(4), Search(method=Lloyd(passes=1), workers=2), 4))
print("done")
"""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "done\n"
    assert done.stderr == ""

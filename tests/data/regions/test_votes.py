import numpy as np
import pytest

from diffhydro.data.regions import Choose, Lloyd, Scan, Search, cluster, highest_within, most_voted
from diffhydro.data.regions.votes import scan_counts
from diffhydro.errors import InputError
from tests.data.regions.blobs import clouds


def scan(silhouette, smallest=5, largest=10):
    value = np.array(silhouette)
    sizes = [np.broadcast_to(np.array(x), value.shape) for x in (smallest, largest)]
    return Scan(tuple(range(2, 2 + value.shape[1])), value, np.zeros_like(value), *sizes)


def test_each_start_has_one_vote():
    found = scan([[0.1, 0.4, 0.3], [0.2, 0.1, 0.9], [0.1, 0.3, 0.2]])
    assert found.votes.tolist() == [0, 2, 1]
    assert most_voted(found) == 3
    assert most_voted(scan([[0.5, 0.1], [0.1, 0.5]])) == 2  # the smaller of equals


def test_the_highest_silhouette_within_bounds():
    values = [[0.1, 0.4, 0.3], [0.2, 0.1, 0.9]]
    assert highest_within(5, 10)(scan(values)) == 4
    tight = scan(values, smallest=[[5, 5, 5], [5, 5, 4]])
    assert highest_within(5, 10)(tight) == 3
    with pytest.raises(InputError, match="smallest cluster had at best 5, the largest 10"):
        highest_within(6, 10)(tight)


def test_four_clouds_are_found_to_be_four():
    features, _ = clouds()
    heard = []
    search = Search(method=Lloyd(), progress=lambda *told: heard.append(told))
    choose = Choose(most_voted, counts=range(2, 7), starts=12)
    regions = cluster(features, choose=choose, starts=12, search=search)
    assert len(regions) == 4
    assert regions.scan is not None
    assert regions.scan.votes.sum() == 12
    assert ("counting clusters", 60, 60) in heard
    assert heard[-1] == ("choosing a start", 12, 12)
    within = Choose(highest_within(16, 60), counts=range(2, 7), starts=12)
    assert len(cluster(features, choose=within, starts=12, search=search)) < 4  # a cloud has 15


def test_a_scan_sees_sizes_of_sites_and_is_repeatable():
    features, own = clouds()
    points = (features.values - features.values.mean(axis=0)) / features.values.std(axis=0)
    sites = np.concatenate([points[own == i][: 2 + i] for i in range(4)])
    choose = Choose(counts=(4,), starts=6)
    found = scan_counts(points, sites, choose, Search(method=Lloyd(), sample=40))
    again = scan_counts(points, sites, choose, Search(method=Lloyd(), sample=40))
    np.testing.assert_array_equal(found.silhouette, again.silhouette)
    best = found.silhouette.argmax()
    assert (found.smallest[best, 0], found.largest[best, 0]) == (2, 5)
    assert (found.error > 0.0).all()
    whole = scan_counts(points, None, choose, Search(method=Lloyd()))
    assert (whole.smallest[best, 0], whole.largest[best, 0]) == (15, 40)
    assert (whole.error == 0.0).all()
    assert (np.abs(found.silhouette - whole.silhouette) < 4.0 * found.error).all()

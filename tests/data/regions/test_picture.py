import numpy as np
import pytest

from diffhydro.data.regions import Features, Lloyd, Search, climate_shares, cluster, plot_regions
from diffhydro.data.regions.picture import _at, _axis
from diffhydro.data.regions.votes import Choose
from diffhydro.errors import InputError

pytest.importorskip("matplotlib")


def a_map():
    latitude, longitude = (
        x.ravel() for x in np.meshgrid(np.arange(9.75, 0, -0.5), np.arange(5.25, 15, 0.5))
    )
    values = np.column_stack([latitude, longitude + 0.1 * latitude])
    return Features(values, ("temperature", "precipitation"), None, latitude, longitude)


@pytest.mark.slow
def test_a_picture_is_whole_and_repeatable(tmp_path):
    places = a_map().take(np.arange(0, 400, 1)[np.arange(400) % 7 != 0])
    sites = places.take(np.arange(0, 300, 11))
    choose = Choose(counts=range(2, 5), starts=4)
    search = Search(method=Lloyd(), sample=50)
    regions = cluster(places, choose=choose, starts=4, sites=sites, search=search)
    codes = np.where(places.values[:, 0] > 5.0, 3, 14)
    shares = climate_shares(regions.labels, codes, len(regions))
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    assert plot_regions(regions, places, one, sites=sites, climate=shares) == one
    plot_regions(regions, places, two, sites=sites, climate=shares)
    assert one.read_bytes() == two.read_bytes()
    assert one.read_bytes().startswith(b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["one.png", "two.png"]


def test_scattered_sites_are_drawn_as_points(tmp_path):
    rng = np.random.default_rng(0)
    where = rng.uniform(0, 10, (40, 2))
    places = Features(where, ("a", "b"), None, where[:, 0], where[:, 1])
    regions = cluster(places, into=3, starts=2)
    assert plot_regions(regions, places, tmp_path / "sites.png").stat().st_size > 10_000


def test_the_grid_of_places_has_rows_without_a_place_too():
    rows = _axis(np.array([0.25, 0.75, 2.25, 0.25]))
    np.testing.assert_allclose(rows, [0.25, 0.75, 1.25, 1.75, 2.25])
    assert _at(rows, np.array([2.25, 0.25, 0.75])).tolist() == [4, 0, 1]
    uneven = np.array([0.0, 1.0, 2.3, 4.1])
    np.testing.assert_array_equal(_axis(uneven), uneven)
    assert _axis(np.array([3.0])).tolist() == [3.0]
    assert _at(np.array([3.0]), np.array([3.0, 3.0])).tolist() == [0, 0]


def test_what_cannot_be_drawn_is_refused(tmp_path):
    places = a_map()
    regions = cluster(places, into=2, starts=2)
    with pytest.raises(InputError, match="5 places, but the regions have labels for 400"):
        plot_regions(regions, places.take(np.arange(5)), tmp_path / "x.png")
    with pytest.raises(InputError, match="no latitude and longitude"):
        plot_regions(regions, Features(places.values, places.names), tmp_path / "x.png")
    assert list(tmp_path.iterdir()) == []

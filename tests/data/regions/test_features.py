import numpy as np
import pytest
import xarray as xr

from diffhydro.data.regions import Features, features_of
from diffhydro.errors import InputError

TIMES = np.arange("2019-01-01", "2021-01-01", dtype="datetime64[D]").astype("datetime64[ns]")


def a_map():
    """Two rows of three cells; the last cell is sea."""
    rng = np.random.default_rng(0)
    shape = (len(TIMES), 2, 3)
    moist = rng.uniform(0.1, 0.4, (*shape, 1)).astype(np.float32)
    moist[:, 1, 2] = np.nan
    sand = np.array([[20.0, 60.0], [30.0, 30.0], [10.0, 50.0]], np.float32).T
    return xr.Dataset(
        {
            "temperature": (("time", "y", "x"), rng.normal(10, 5, shape).astype(np.float32)),
            "soil_moisture": (("time", "y", "x", "depth"), moist),
            "land_cover": (("y", "x"), np.array([[41, 11, 41], [82, 41, np.nan]])),
            "sand": (("layer", "y", "x"), np.stack([sand, sand + 4.0])),
        },
        {
            "time": TIMES,
            "depth": ("depth", [50.0]),
            "latitude": ("y", [40.25, 39.75]),
            "longitude": ("x", [-100.25, -99.75, -99.25]),
        },
    )


def test_means_seasons_classes_and_the_sea():
    found = a_map().drop_vars("sand")
    names = ("temperature", "soil_moisture.JJA", "land_cover")
    features = features_of(found, names)
    assert features.names == (
        "temperature", "soil_moisture.JJA", "land_cover.11", "land_cover.41", "land_cover.82"
    )  # fmt: skip
    assert len(features) == 5  # the sea is left out
    assert features.places.tolist() == [0, 1, 2, 3, 4]
    assert features.latitude.tolist() == [40.25] * 3 + [39.75] * 2
    assert features.longitude.tolist() == [-100.25, -99.75, -99.25, -100.25, -99.75]
    month = (TIMES.astype("datetime64[M]").astype(int) % 12) + 1
    summer = found["soil_moisture"].values[np.isin(month, (6, 7, 8)), 1, 0, 0].mean()
    warmth = found["temperature"].values[:, 1, 0].mean()
    np.testing.assert_allclose(features.values[3], [warmth, summer, 0, 0, 1], rtol=1e-6)
    assert features.values[:, 2].tolist() == [0, 1, 0, 0, 0]


def test_works_lazily_and_for_names_spelled_out():
    found = a_map().drop_vars("sand")
    names = ("land_cover.41", "land_cover.90", "temperature")
    lazy, eager = features_of(found.chunk(time=100), names), features_of(found, names)
    np.testing.assert_allclose(lazy.values, eager.values)
    assert lazy.names == names  # a class that does not occur is a column of zeros
    assert (lazy.values[:, 1] == 0).all()


def test_layers_are_weighted_by_their_thickness():
    found = xr.Dataset(
        {"sand": (("site", "depth"), [[10.0, 40.0], [20.0, np.nan]])},
        {
            "site": ["a", "b"],
            "depth": ("depth", [50.0, 250.0]),
            "top": ("depth", [0.0, 100.0]),
            "bottom": ("depth", [100.0, 400.0]),
        },
    )
    features = features_of(found, ["sand"])
    assert features.values[:, 0].tolist() == [32.5, 20.0]
    assert features.places.tolist() == ["a", "b"]
    with pytest.raises(InputError, match="sand has 2 depths without top and bottom"):
        features_of(found.drop_vars(["top", "bottom"]), ["sand"])


def test_a_mean_needs_enough_days():
    found = xr.Dataset(
        {"temperature": (("site", "time"), np.ones((2, len(TIMES))))},
        {"site": ["whole", "half"], "time": TIMES},
    )
    found["temperature"][1, : len(TIMES) // 2] = np.nan
    assert features_of(found, ["temperature"], least=0.4).values.tolist() == [[1.0], [1.0]]
    with pytest.raises(InputError, match=r"temperature is nan at place half \(1 of 2 places"):
        features_of(found, ["temperature"])


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("rain", "rain is not there"),
        ("temperature.XYZ", "one of DJF, MAM, JJA, SON"),
        ("land_cover.forest", "expected a class number"),
        ("elevation.JJA", "elevation does not change with time"),
        ("aspect", "aspect is an angle"),
        ("albedo", "albedo lies over"),
    ],
)
def test_names_that_mean_nothing_are_refused(name, match):
    found = a_map().assign(
        elevation=(("y", "x"), np.ones((2, 3))),
        aspect=(("y", "x"), np.ones((2, 3))),
        albedo=("y", np.ones(2)),
    )
    with pytest.raises(InputError, match=match):
        features_of(found, [name])


def test_a_map_without_a_complete_cell_says_what_is_there():
    found = a_map().drop_vars("sand").assign(elevation=(("y", "x"), np.full((2, 3), np.nan)))
    with pytest.raises(InputError, match="of 6 cells have temperature 6, elevation 0"):
        features_of(found, ["temperature", "elevation"])


def test_taking_and_ordering():
    features = Features(np.arange(6.0).reshape(3, 2), ("a", "b"), np.array(["x", "y", "z"]))
    some = features.take(np.array([2, 0]))
    assert some.values.tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert some.name_of(0) == "z"
    assert some.ordered(("b", "a"))[0].tolist() == [5.0, 4.0]
    with pytest.raises(InputError, match="there is no feature c; the places have a, b"):
        some.ordered(("a", "c"))
    for broken, match in (
        ((np.ones((2, 2)), ("a",)), "expected places times the 1 names"),
        ((np.ones((2, 2)), ("a", "a")), "twice"),
        ((np.array([[1.0, np.inf]]), ("a", "b")), "b is inf at place 0"),
        ((np.ones((2, 1)), ("a",), np.array(["x"])), "places has 1 entries for 2 places"),
    ):
        with pytest.raises(InputError, match=match):
            Features(*broken)

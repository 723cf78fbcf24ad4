"""Texture to soil: the published tables, the interpolation, and what it refuses."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.parameters import check_bounds, values
from diffhydro.errors import InputError
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.pedotransfer import (
    CENTROIDS,
    CLAPP_HORNBERGER_1978,
    COSBY_1984,
    clapp_hornberger_1978,
    cosby,
    cosby_1984,
    cosby_two_variable,
    reference_contents,
    rosetta,
    rosetta_about,
    texture_class,
)
from tests.soil.test_hydraulics_examples import DTYPES, TOLERANCE, columns

CORNERS = ([100.0, 0.0, 0.0], [0.0, 100.0, 0.0], [0.0, 0.0, 100.0])


def shares(given, dtype):
    return (jnp.asarray(given[name], dtype) for name in ("sand", "silt", "clay"))


@DTYPES
def test_rosetta_vertex(dtype):
    given, expected = columns("rosetta_vertex", "inputs"), columns("rosetta_vertex", "outputs")
    soil = rosetta(*shares(given, dtype))
    rtol = TOLERANCE[dtype]
    np.testing.assert_allclose(soil.theta_r, expected["theta_r"], rtol=rtol)
    np.testing.assert_allclose(soil.theta_s, expected["theta_s"], rtol=rtol)
    np.testing.assert_allclose(10 * soil.alpha, 10 ** expected["log10_alpha"], rtol=rtol)
    np.testing.assert_allclose(soil.n, 10 ** expected["log10_n"], rtol=rtol)
    np.testing.assert_allclose(soil.k_sat / 10, 10 ** expected["log10_Ks"], rtol=rtol)
    for name, suction in (
        ("AirDry", 1e7),
        ("LL15", 1.5e5),
        ("DUL_330cm", 3300),
        ("DUL_100cm", 1e3),
    ):
        psi = jnp.full_like(soil.n, -suction)
        np.testing.assert_allclose(soil.theta(psi), expected[name], rtol=rtol)
    assert all(value.dtype == dtype for value in values(soil).values())


@DTYPES
def test_barycentric_interpolation(dtype):
    process = "barycentric_interpolation"
    given, expected = columns(process, "inputs"), columns(process, "outputs")
    soil = rosetta(*shares(given, dtype))
    rtol = TOLERANCE[dtype]
    np.testing.assert_allclose(soil.theta_r, expected["interpolated_row"][:, 0], rtol=rtol)
    np.testing.assert_allclose(soil.theta_s, expected["interpolated_row"][:, 1], rtol=rtol)
    np.testing.assert_allclose(10 * soil.alpha, expected["alpha_per_cm"], rtol=rtol)
    np.testing.assert_allclose(soil.n, expected["n"], rtol=rtol)
    np.testing.assert_allclose(soil.k_sat / 10, expected["K_s_cm_d"], rtol=rtol)


@DTYPES
def test_cosby_regression(dtype):
    given, expected = columns("cosby_regression", "inputs"), columns("cosby_regression", "outputs")
    soil = cosby(jnp.asarray(given["sand_pct"], dtype), jnp.asarray(given["clay_pct"], dtype))
    rtol = TOLERANCE[dtype]
    np.testing.assert_allclose(soil.theta_s, expected["theta_sat"], rtol=rtol)
    np.testing.assert_allclose(soil.k_sat, 86400 * expected["k_sat_mm_s"], rtol=rtol)
    np.testing.assert_allclose(soil.psi_sat, expected["psi_sat_mm"], rtol=rtol)
    np.testing.assert_allclose(soil.b, expected["b"], rtol=rtol)


@pytest.mark.parametrize(
    ("predict", "misses"),
    [
        (lambda t: cosby(t.sand, t.clay), (0.52, 0.17, 0.18, 0.019)),
        (lambda t: cosby_two_variable(*t), (0.52, 0.15, 0.16, 0.018)),
    ],
)
def test_regressions_miss_the_class_means_by_the_published_amount(predict, misses):
    """RMSE of b, log₁₀ ψ, log₁₀ K and θ_s at the eleven centroids, to the digits given."""
    pairs = [(predict(CENTROIDS[name]), cosby_1984(name)) for name in COSBY_1984]
    errors = [
        (a.b - b.b, *np.log10([a.psi_sat / b.psi_sat, a.k_sat / b.k_sat]), a.theta_s - b.theta_s)
        for a, b in pairs
    ]
    rounding = np.array([0.005, 0.005, 0.005, 0.0005])
    assert (np.abs(np.sqrt(np.mean(np.square(errors), axis=0)) - misses) <= rounding).all()


def test_class_means_are_in_millimetres_and_days():
    soil = clapp_hornberger_1978("Silt Loam")
    np.testing.assert_allclose(soil.k_sat, 0.0072 * 86400)
    assert soil.psi_sat == -786.0
    for name in CLAPP_HORNBERGER_1978:
        if name != "moss":  # its b of 1 is outside the range of mineral soils
            check_bounds(clapp_hornberger_1978(name))
    for name in COSBY_1984:
        check_bounds(cosby_1984(name))


@pytest.mark.parametrize("version", [1, 2, 3])
def test_rosetta_stays_inside_the_calibration_range(version):
    sand, clay = np.array([(s, c) for s in range(101) for c in range(101 - s)]).T
    check_bounds(rosetta(sand, 100 - sand - clay, clay, version=version))


def test_rosetta_follows_its_networks():
    """At whole percents the table is the networks' own mean of logarithms."""
    networks = pytest.importorskip("rosetta")
    texture = np.array([[92, 5, 3], [17, 70, 13], [6, 47, 47], [100, 0, 0]])
    for version in (1, 2, 3):
        mean, _, _ = networks.rosetta(version, texture.tolist(), estimate_type="log")
        soil = rosetta(*texture.T, version=version)
        found = np.stack([soil.theta_r, soil.theta_s, *np.log10([soil.alpha * 10, soil.n,
                          soil.k_sat / 10])], axis=1)  # fmt: skip
        np.testing.assert_allclose(found, mean[:, :5], rtol=3e-7)


def test_rosetta_is_differentiable_and_maps():
    def parameters(texture):
        return jnp.stack(list(values(rosetta(*texture)).values()))

    textures = jnp.asarray([[43.25, 38.5, 18.25], [33.7, 35.5, 30.8], [12.2, 9.4, 78.4]])
    jacobian = jax.jit(jax.vmap(jax.jacfwd(parameters)))(textures)
    step = 1e-4
    for i, direction in enumerate(np.eye(3)[:, None]):
        ahead, behind = (
            jax.vmap(parameters)(textures + sign * step * direction) for sign in (1, -1)
        )
        np.testing.assert_allclose(
            jacobian[..., i], (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-9
        )


@DTYPES
def test_the_rim_of_the_triangle_is_inside(dtype):
    """On the rim two corners of a cell do not exist; the answer is the limit from within."""
    rim = jnp.asarray([*CORNERS, [60, 0, 40], [99.5, 0, 0.5], [55.5, 44.5, 0.0]], dtype)
    inside = rim + 1e-3 * (100 / 3 - rim) / 100
    on_rim, limit = (values(rosetta(*texture.T)) for texture in (rim, inside))
    for name in on_rim:
        np.testing.assert_allclose(on_rim[name], limit[name], rtol=1e-4)
    jacobian = jax.jit(jax.vmap(jax.jacrev(lambda texture: rosetta(*texture).k_sat)))(rim)
    assert jnp.isfinite(jacobian).all()


def test_shares_are_scaled_to_their_sum():
    whole, fractions = rosetta(40, 40, 20), rosetta(0.4, 0.4, 0.2)
    for name, value in values(whole).items():
        np.testing.assert_allclose(value, values(fractions)[name], rtol=1e-12)
    assert texture_class(0.4, 0.4, 0.2) == texture_class(41, 41, 20.5) == "loam"


def test_texture_classes():
    assert {name: texture_class(*t) for name, t in CENTROIDS.items()} == {n: n for n in CENTROIDS}
    sand, clay = np.array([(s, c) for s in range(101) for c in range(101 - s)]).T
    names = texture_class(sand, 100 - sand - clay, clay)
    assert set(names) == set(CENTROIDS), "every texture has a class"
    boundaries = {(45, 28, 27): "clay loam", (52, 41, 7): "loam", (50, 43, 7): "loam",
                  (85, 15, 0): "loamy sand", (20, 50, 30): "silty clay loam"}  # fmt: skip
    assert {t: str(texture_class(*t)) for t in boundaries} == boundaries


def test_from_texture_is_rosetta_at_the_centre():
    soil = VanGenuchten.from_texture("silt loam")
    assert soil.n == rosetta(17, 70, 13).n
    assert VanGenuchten.from_texture("clay", version=1).n == rosetta(22, 20, 58, version=1).n
    assert "Rosetta model 2" in rosetta_about()


def test_reference_contents_are_the_curve_where_it_keeps_them_apart():
    contents = reference_contents(VanGenuchten.from_texture("loam"))
    np.testing.assert_allclose(
        jax.tree.leaves(contents), [0.0913, 0.1277, 0.2867, 0.4002], atol=6e-5
    )


@pytest.mark.exhaustive
def test_reference_contents_keep_their_distance_at_every_texture():
    sand, clay = np.array([(s, c) for s in range(0, 101, 2) for c in range(0, 101 - s, 2)]).T
    contents = reference_contents(rosetta(sand, 100 - sand - clay, clay))
    tiny = 1e-12
    assert (contents.ll15 >= contents.air_dry + 0.001 - tiny).all()
    assert (contents.dul >= contents.ll15 + 0.01 - tiny).all()
    assert (contents.sat >= contents.dul + 0.02 - tiny).all()
    pure_sand = reference_contents(rosetta(*CORNERS[0]))
    np.testing.assert_allclose(pure_sand.dul - pure_sand.ll15, 0.01)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rosetta(-1, 50, 51), "sand is -1"),
        (lambda: rosetta(float("nan"), 50, 51), "sand is nan"),
        (lambda: rosetta(0, 0, 0), r"sand \+ silt \+ clay is 0"),
        (lambda: rosetta(30, 30, 40, version=4), "no version 4"),
        (lambda: cosby(120, 3), "sand is 120"),
        (lambda: VanGenuchten.from_texture("mud"), "no texture is called 'mud'.*silt loam"),
        (lambda: cosby_1984("silt"), "no texture is called 'silt'"),
    ],
)
def test_bad_textures(call, message):
    with pytest.raises(InputError, match=message):
        call()

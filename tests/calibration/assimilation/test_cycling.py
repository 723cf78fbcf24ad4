"""From window to window: what goes on from a file has never stopped."""

import subprocess
import sys
from pathlib import Path

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.cycling import cycle
from diffhydro.calibration.assimilation.ensemble_kalman import EnsembleKalman
from diffhydro.calibration.assimilation.filtered import joined
from diffhydro.calibration.assimilation.perturbation import Factor, Perturbations, Shift
from diffhydro.calibration.assimilation.uncertainty import (
    UncertainParameters,
    UncertainRain,
    UncertainState,
)
from diffhydro.calibration.assimilation.variational import Variational
from diffhydro.errors import InputError
from tests.calibration.assimilation import linear

ROOT = Path(__file__).parents[3]
KEY = jax.random.key(2)
WINDOW = 5
SCHEMES = {
    "variational": lambda: Variational(
        state=linear.STATE, parameters=UncertainParameters("a"), rain=UncertainRain(0.2, days=5)
    ),
    "ensemble": lambda: EnsembleKalman(
        8,
        state=linear.STATE,
        parameters=UncertainParameters("a"),
        weather=Perturbations(
            precipitation=Factor(0.3, days=2.0), potential_evaporation=Shift(0.3)
        ),
    ),
}


def record():
    """The reservoirs' record, without observations in the third window."""
    forcing, observed = linear.record()
    observed[10:15] = np.nan
    return forcing, linear.observations(observed)


def going(name, length=linear.DAYS, file=None, **rest):
    forcing, seen = record()
    cut = [one[:length] for one in seen]
    given = {"days": WINDOW, "file": file, "key": KEY} | rest
    return cycle(SCHEMES[name](), linear.MODEL, forcing[:length], cut, **given)


def same(one, other):
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        if isinstance(a, jax.Array | np.ndarray):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCHEMES)
def test_going_on_is_never_having_stopped(name, tmp_path):
    """Also with a record that has grown since, and with a file that nobody read."""
    whole = list(going(name, file=tmp_path / "unread.npz"))
    file = tmp_path / "state.npz"
    first = list(going(name, length=10, file=file))
    rest = list(going(name, file=file))
    assert [len(first), len(rest)] == [2, 2]
    for a, b in zip(whole, first + rest, strict=True):
        same(eqx.filter(a, eqx.is_array), eqx.filter(b, eqx.is_array))
    assert (tmp_path / "unread.npz").read_bytes() == file.read_bytes()
    assert list(going(name, file=file)) == []
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []
    if name == "variational":
        # The third window saw nothing: it is the background, bit for bit.
        assert whole[2].iterations == 0
        same(whole[2].world.state, whole[1].run.final)
        same(whole[2].world.model, whole[1].world.model)
        same(whole[2].world.forcing, record()[0][10:15])
        again = whole[1].world.model.run(record()[0][10:15], whole[1].run.final)
        same(whole[2].run, again)


@pytest.mark.slow
def test_windows_join_into_the_filter_of_the_whole():
    forcing, seen = record()
    parts = joined(list(going("ensemble")))
    whole = SCHEMES["ensemble"]().filter(linear.MODEL, forcing, seen, key=KEY)
    for a, b in zip(
        jax.tree.leaves(eqx.filter(whole, eqx.is_array)),
        jax.tree.leaves(eqx.filter(parts, eqx.is_array)),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10)
    assert np.abs(parts.books.residual).max() < 1e-10


@pytest.mark.slow
def test_another_process_goes_on(tmp_path):
    """In a process that knows nothing but the file and the record."""
    file = tmp_path / "state.npz"
    expected = list(going("ensemble"))[-1]
    list(going("ensemble", length=10, file=file))
    program = (
        "import sys; from pathlib import Path\n"
        "import tests.conftest, numpy as np\n"
        "from tests.calibration.assimilation.test_cycling import going\n"
        "last = list(going('ensemble', file=Path(sys.argv[1])))[-1]\n"
        "np.savez(sys.argv[2], *last.run.final)\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", program, str(file), str(tmp_path / "found.npz")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    with np.load(tmp_path / "found.npz") as found:
        same(list(expected.run.final), [found[name] for name in found.files])


@pytest.mark.slow
def test_what_does_not_belong_to_the_file_is_refused(tmp_path):
    file = tmp_path / "state.npz"
    forcing, seen = record()
    next(going("ensemble", file=file))
    scheme = SCHEMES["ensemble"]()
    given = {"days": WINDOW, "file": file, "key": KEY}
    other = eqx.tree_at(lambda m: m.b, linear.MODEL, jnp.asarray(0.2))
    with pytest.raises(InputError, match="the state of another model"):
        cycle(scheme, other, forcing, seen, **given)
    with pytest.raises(InputError, match="the state of another window"):
        cycle(scheme, linear.MODEL, forcing, seen, **given | {"days": 4})
    with pytest.raises(InputError, match="the state of another scheme"):
        cycle(SCHEMES["variational"](), linear.MODEL, forcing, seen, **given)
    wider = eqx.tree_at(lambda s: s.state[0].spread, scheme, jnp.asarray(9.0))
    with pytest.raises(InputError, match="the state of another scheme"):
        cycle(wider, linear.MODEL, forcing, seen, **given)
    wetter = eqx.tree_at(lambda f: f.precipitation, forcing, forcing.precipitation + 1.0)
    with pytest.raises(InputError, match="other weather or observations in its first 5 days"):
        cycle(scheme, linear.MODEL, wetter, seen, **given)
    with pytest.raises(InputError, match="has gone 5 days, the weather has 3"):
        cycle(scheme, linear.MODEL, forcing[:3], [one[:3] for one in seen], **given)


def test_bad_input_teaches_before_anything_runs():
    forcing, seen = record()
    scheme = EnsembleKalman(8, state=UncertainState("storage", 1.0))
    with pytest.raises(InputError, match="give one or more"):
        cycle(scheme, linear.MODEL, forcing, seen, days=0, key=KEY)
    with pytest.raises(InputError, match="offers no parts of its state"):
        cycle(scheme, linear.MODEL, forcing, seen, days=5, key=KEY)
    with pytest.raises(InputError, match="lie outside"):
        cycle(scheme, linear.MODEL, forcing[:4], seen, days=2, key=KEY)

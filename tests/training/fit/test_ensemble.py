"""Many members as one program: each is what it would have been alone."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import MAP, VMAP, Map, member, stack
from diffhydro.data.batches import InOrder
from diffhydro.errors import InputError
from diffhydro.training.fit import (
    ArrayBatches,
    MemberBatches,
    Optimizer,
    Stop,
    TrainingError,
    Validation,
    fit,
    fit_ensemble,
)
from diffhydro.training.fit.members import by_platform
from tests.training.fit.models import Line, batches, close, plain, same, square, table

KEY = jax.random.key(8)
KEYS = jax.random.split(KEY, 3)
STARTS = (1.0, 3.0, 0.5)
# Unlike in number of batches, and one fills up what the others need.
PARTS = (batches(10, 4), batches(6, 4, 1, slope=0.5), batches(5, 4, 2))
HELD = (batches(6, 4, 3), batches(9, 4, 4, slope=0.5), batches(4, 4, 5))
GIVEN = {
    "epochs": 12,
    "optimizer": Optimizer(0.1, accumulate=2, average=0.8, clip=3.0),
    "stop": Stop(patience=2, least=0.03),
}
HOWS = {"vmap": VMAP, "map": MAP, "chunks": Map(batch=2)}


@cache
def together(name):
    return fit_ensemble(
        stack([Line(slope) for slope in STARTS]), MemberBatches.of(PARTS), square, key=KEY,
        how=HOWS[name], validation=Validation(MemberBatches.of(HELD)), **GIVEN,
    )  # fmt: skip


@cache
def alone(i):
    return fit(
        Line(STARTS[i]), PARTS[i], square, key=KEYS[i], validation=Validation(HELD[i]), **GIVEN
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["vmap", "map", pytest.param("chunks", marks=pytest.mark.exhaustive)]
)
def test_each_is_what_it_would_be_alone(name):
    ends = set()
    for i in range(3):
        one, other = together(name).member(i), alone(i)
        ends.add(len(other.history))
        close((one.model, one.last_model), (other.model, other.last_model), rtol=1e-11)
        close(one.state.walk.descent, other.state.walk.descent, rtol=1e-11)
        close(one.state.walk.sums, other.state.walk.sums, rtol=1e-11)
        assert int(one.state.walk.seen) == int(other.state.walk.seen)
        assert one.stopped_because == other.stopped_because
        assert one.history.columns == other.history.columns
        for column in one.history.columns:
            np.testing.assert_allclose(
                one.history.column(column), other.history.column(column), rtol=1e-9
            )
    # They ended at different epochs, or the test says less than it seems to.
    assert len(ends) > 1
    assert min(ends) < GIVEN["epochs"]


@pytest.mark.slow
def test_neighbours_make_no_difference_to_a_bit():
    """One after the other, in an ensemble of other members and another length of epochs."""
    fewer = fit_ensemble(
        stack([Line(slope) for slope in STARTS[1:]]), MemberBatches.of(PARTS[1:]), square,
        key=KEYS[1:], how=MAP, validation=Validation(MemberBatches.of(HELD[1:])), **GIVEN,
    )  # fmt: skip
    assert len(fewer.state.walk.seen) < len(together("map").state.walk.seen)
    for i in range(2):
        one, other = together("map").member(i + 1), fewer.member(i)
        same((one.model, one.last_model), (other.model, other.last_model))
        same(one.state.walk.descent, other.state.walk.descent)
        assert one.history == other.history


def test_one_that_stopped_does_not_change():
    """The first stops after its first epoch without a gain, the other goes on."""
    kept = []
    still = ArrayBatches.of(table(8, slope=1.0), 4)
    got = fit_ensemble(
        stack([Line(1.0), Line(0.2)]), MemberBatches.of([still, batches(8, 4)]), plain, key=KEY,
        epochs=8, how=MAP, optimizer=Optimizer(0.2, average=0.5),
        stop=Stop("training.misfit", patience=1, least=0.26),
        on_epoch=lambda state, rows: kept.append((state, [row["member"] for row in rows])),
    )  # fmt: skip
    told = [rows for _, rows in kept]
    end = told.index([1])  # the first epoch that only the other had a part in
    assert 0 < end < len(told) - 1
    assert told == [[0, 1]] * end + [[1]] * (len(told) - end)
    states = [member(state, 0) for state, _ in kept]
    for later in states[end:]:
        same(states[end - 1], later)
    others = [member(state, 1).free.parameters["slope"] for state, _ in kept]
    assert len({float(x) for x in others}) == len(others)
    assert "no gain" in got.stopped_because[0]
    assert got.history.member(0).column("epoch").tolist() == list(range(end))


def poisoned(which):
    data = table(8)
    data["y"][5] = np.nan if which else data["y"][5]
    return ArrayBatches.of(data, 4, InOrder())


def broken(which, **more):
    parts = MemberBatches.of([poisoned(bad) for bad in which])
    return fit_ensemble(
        stack([Line() for _ in which]), parts, plain, key=KEY, epochs=3, how=MAP,
        optimizer=Optimizer(0.1), **more,
    )  # fmt: skip


def test_one_that_broke_does_not_disturb_the_others(tmp_path):
    got, clean = broken([True, False], out=tmp_path), broken([False, False])
    same(member(got.model, 1), member(clean.model, 1))
    assert got.stopped_because[1] == "all 3 epochs"
    why = got.stopped_because[0]
    assert "of member 0 (epoch 0, batch 1): the term misfit is nan" in why
    assert "at window 1 of the batch" in why
    assert (tmp_path / "broken" / "epoch-0-batch-1-member-0.npz").exists()
    # It stands where it stood before the batch that broke it: after the first one.
    state = got.member(0).state
    assert (int(state.step), state.position.tolist()) == (1, [0, 1])
    assert float(state.walk.amount) == 4.0
    assert np.isfinite(float(state.free.parameters["slope"]))
    assert len(got.history.member(0)) == 0


def test_nobody_left_is_an_error():
    with pytest.raises(TrainingError, match="of member 0"):
        broken([True, True])


def test_keys_may_be_given_one_by_one():
    def one(key):
        return fit_ensemble(
            stack([Line(), Line()]), MemberBatches.of([batches()] * 2), square, key=key, epochs=1,
            how=MAP,
        )  # fmt: skip

    got = one(jnp.stack([KEY, KEY]))
    same(got.member(0).model, got.member(1).model)
    apart = one(KEY)
    assert float(apart.member(0).model.slope) != float(apart.member(1).model.slope)
    with pytest.raises(InputError, match="for 2 members"):
        one(KEYS)


def test_batches_fit_the_members():
    two = stack([Line(), Line(2.0)])
    run = partial(fit_ensemble, objective=plain, key=KEY, epochs=1)
    with pytest.raises(InputError, match="of 3 members, and the model of 2"):
        run(two, MemberBatches.of(PARTS))
    with pytest.raises(InputError, match="for such batches there is fit"):
        run(two, batches())
    with pytest.raises(InputError, match="there is fit_ensemble"):
        fit(Line(), MemberBatches.of(PARTS), plain, key=KEY, epochs=1)


def test_on_a_cpu_it_is_one_after_the_other():
    assert by_platform() == (MAP if jax.default_backend() == "cpu" else VMAP)

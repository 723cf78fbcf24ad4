"""OutageError anywhere and gone on: as if nothing had happened, bit for bit."""

from functools import cache

import jax
import numpy as np
import pytest

from diffhydro.core.ensembles import stack
from diffhydro.data.batches import InOrder
from diffhydro.errors import InputError
from diffhydro.training.fit import (
    ArrayBatches,
    MemberBatches,
    Optimizer,
    Stop,
    Validation,
    fit,
    fit_ensemble,
)
from diffhydro.training.fit.history import FILE
from diffhydro.training.mixing import MixedBatches
from tests.training.fit.models import Line, Memory, OutageError, batches, same, square, table

KEY = jax.random.key(5)
OPTIMIZER = Optimizer(0.05, accumulate=2, average=0.9)
EPOCHS = 4


def run(saver, out, epochs=EPOCHS, save_every=1, **changes):
    mixed = MixedBatches.of(
        {"a": batches(9, 3), "b": batches(6, 3, 1)}, {"a": 0.4}, length=3, seed=1
    )
    given = {
        "optimizer": OPTIMIZER,
        "validation": Validation(batches(5, 3, 2), every=2),
        "stop": Stop(patience=5),
    }
    return fit(
        Line(), mixed, square, key=KEY, epochs=epochs, saver=saver, save_every=save_every, out=out,
        **given | changes,
    )  # fmt: skip


@cache
def whole():
    return run(None, None, save_every=None)


def check(got, folder):
    same(whole().state, got.state)
    same(whole().model, got.model)
    same(whole().last_model, got.last_model)
    assert whole().history == got.history
    assert (folder / FILE).read_text() == whole().history.csv()


@pytest.mark.parametrize("batch", range(1, 3 * EPOCHS + 1))
def test_any_batch_may_be_the_last_before_an_interruption(batch, tmp_path):
    saver = Memory(fails_after=batch)
    with pytest.raises(OutageError):
        run(saver, tmp_path)
    assert list(saver.kept) == list(range(1, batch + 1))
    saver.fails_after = None
    check(run(saver, tmp_path), tmp_path)


def test_interrupted_again_and_again(tmp_path):
    saver = Memory()
    for count in range(1, 3 * EPOCHS + 1):
        saver.fails_after = count
        with pytest.raises(OutageError):
            run(saver, tmp_path)
    saver.fails_after = None
    check(run(saver, tmp_path), tmp_path)


def test_what_came_after_the_checkpoint_is_taken_back(tmp_path):
    """Killed after rows were written and before the checkpoint was."""
    early, out = Memory(fails_after=4), tmp_path
    with pytest.raises(OutageError):
        run(early, out)
    run(None, out, save_every=None)  # leaves rows of all epochs, none of them in the checkpoint
    table = out / FILE
    table.write_text(table.read_text() + "4,15,0.1")
    early.fails_after = None
    check(run(early, out), out)


def test_without_save_every_it_is_the_end_of_epochs(tmp_path):
    saver = Memory()
    run(saver, tmp_path, save_every=None)
    assert list(saver.kept) == [3, 6, 9, 12]


def test_a_finished_run_is_over_and_may_be_made_longer(tmp_path):
    saver = Memory()
    run(saver, tmp_path, epochs=2, stop=Stop(patience=1), save_every=None)
    again = run(saver, tmp_path, epochs=2, stop=Stop(patience=1), save_every=None)
    assert list(saver.kept) == [3, 6]
    assert len(again.history) == 2
    check(run(saver, tmp_path), tmp_path)


def test_one_that_stopped_stays_so(tmp_path):
    saver = Memory()
    stop = Stop("training.size", patience=1, is_high=False)
    first = run(saver, tmp_path, stop=stop)
    assert first.stopped_because == "no gain in training.size for 1 scores"
    again = run(saver, tmp_path, stop=stop)
    assert again.stopped_because == first.stopped_because
    same(first.state, again.state)
    assert first.history == again.history
    assert len(first.history) < EPOCHS


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    saver = Memory()
    run(saver, tmp_path)
    with pytest.raises(InputError, match="its columns are"):
        run(saver, tmp_path, validation=None)
    with pytest.raises(InputError, match="its batches are 3, and those of this one 4"):
        fit(
            Line(), batches(16, 4), square, key=KEY, epochs=1, optimizer=OPTIMIZER,
            validation=Validation(batches(5, 3, 2)), saver=saver,
        )  # fmt: skip


def ensemble(saver, out):
    """One member stops early, one breaks, and one goes on to the end."""
    data = table(6)
    data["y"][4] = np.nan
    bad = ArrayBatches.of(data, 3, InOrder())
    parts = MemberBatches.of([batches(4, 3, 1, slope=1.0), bad, batches(9, 3)])
    models = stack([Line(), Line(), Line(6.0)])
    return fit_ensemble(
        models, parts, square, key=KEY, epochs=3, optimizer=OPTIMIZER, saver=saver, save_every=1,
        stop=Stop("training.misfit", patience=1, least=0.3), out=out,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("batch", [1, 4, 7, 8])
def test_an_ensemble_goes_on_as_well(batch, tmp_path):
    entire = ensemble(Memory(), tmp_path / "whole")
    assert [len(one) for one in entire.history.members()] == [2, 3]
    assert "the term misfit is nan" in entire.stopped_because[1]
    saver = Memory(fails_after=batch)
    with pytest.raises(OutageError):
        ensemble(saver, tmp_path / "parts")
    saver.fails_after = None
    got = ensemble(saver, tmp_path / "parts")
    same(entire.state, got.state)
    assert entire.history == got.history
    said = tuple(why.replace("/parts/", "/whole/") for why in got.stopped_because)
    assert entire.stopped_because == said
    files = [(tmp_path / name / FILE).read_text() for name in ("whole", "parts")]
    assert files[0] == files[1] == entire.history.csv()

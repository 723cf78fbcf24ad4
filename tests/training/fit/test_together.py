"""With the rooms beside it: windows of a data set, an objective of terms, checkpoints on disk."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.ensembles import MAP, stack
from diffhydro.coupling import AbstractPredictor
from diffhydro.data.batches import Batches, ClusteredBatches, Source, Windows
from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead, FlaxHead, Mlp
from diffhydro.training.batch_losses import mae, mse
from diffhydro.training.checkpoints import Checkpoints
from diffhydro.training.fit import Optimizer, Stop, Validation, fit, fit_ensemble
from diffhydro.training.objective import Objective, Term
from diffhydro.training.schedules import LinearSchedule
from tests.data.batches.sites import FORCING, dataset
from tests.training.fit.models import OutageError, same

KEY = jax.random.key(2)
SOURCE = Source.of(dataset(depths=1).isel(depth=0), forcing=FORCING, attributes=("elevation",))
WINDOWS = Windows(length=12, warm_up=4)
OBJECTIVE = Objective(
    {"square": Term(mse("observed")), "size": Term(mae("observed"), LinearSchedule(0.0, 1.0, 30))}
)
OPTIMIZER = Optimizer(0.02, clip=1.0, average=0.5)


class Daily(AbstractPredictor):
    """Sees the weather of a day."""

    head: AbstractHead

    def __call__(self, inputs, *, key=None):
        features = jnp.sin(inputs.stacked(FORCING))
        return self.head(features, key=key)[..., 0]


def model(seed=0):
    network = Mlp(hidden=(4,), out=1, dropout=0.2)
    return Daily(FlaxHead.create(network, jnp.zeros(2), key=jax.random.key(seed), dtype=np.float32))


def run(saver=None, **more):
    options = {"key": KEY, "epochs": 4, "optimizer": OPTIMIZER, "save_every": 2, **more}
    held = Batches.of(SOURCE, WINDOWS, 8)
    return fit(
        model(), Batches.of(SOURCE, WINDOWS, 8), OBJECTIVE, validation=Validation(held),
        stop=Stop("validation.square", patience=3), saver=saver, **options,
    )  # fmt: skip


class Failing:
    """Checkpoints of a machine that goes down after some."""

    def __init__(self, checkpoints, after):
        self.checkpoints, self.left = checkpoints, after

    def save(self, step, state, told):
        self.checkpoints.save(step, state, told)
        self.left -= 1
        if not self.left:
            self.checkpoints.wait()
            raise OutageError

    def restore(self, like):
        return self.checkpoints.restore(like)


@pytest.mark.slow
def test_windows_terms_and_checkpoints(tmp_path):
    whole = run()
    column = whole.history.column
    assert column("validation.square")[-1] < 0.5 * column("validation.square")[0]
    # The weight of the second term grows with the steps.
    share = (column("training.total") - column("training.square")) / column("training.size")
    assert (np.diff(share) > 0).all()
    with Checkpoints(tmp_path) as first, pytest.raises(OutageError):
        run(Failing(first, 3))
    with Checkpoints(tmp_path) as second:
        got = run(second)
    same(whole.state, got.state)
    same(whole.model, got.model)
    assert whole.history == got.history


@pytest.mark.slow
def test_clusters_as_one_program():
    clusters = [np.array([0]), np.array([1, 2, 3]), np.array([4])]
    batches = ClusteredBatches.of(SOURCE, WINDOWS, 4, clusters)
    models = stack([model(seed) for seed in range(3)])
    got = fit_ensemble(models, batches, OBJECTIVE, key=KEY, epochs=3, how=MAP, optimizer=OPTIMIZER)
    assert got.stopped_because == ("all 3 epochs",) * 3
    # Only as many batches as the cluster has, though the epoch is that of the largest.
    counts = [-(-len(cut) // 4) for cut in batches.cuts]
    assert got.history.column("step")[-3:].tolist() == [3 * count for count in counts]
    assert max(counts) > min(counts)


def test_an_objective_looks_at_the_first_batch():
    other = Objective({"square": Term(mse("satellite"))})
    with pytest.raises(InputError, match="'square'"):
        fit(model(), Batches.of(SOURCE, WINDOWS, 8), other, key=KEY, epochs=1)

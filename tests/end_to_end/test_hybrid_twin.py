"""What a hybrid learns of a world that is known, beside a network and the physics alone."""

import numpy as np
import pytest

from diffhydro.coupling import Observed
from diffhydro.training.sample import Sample
from tests.end_to_end.hybrid_twin import (
    TRAIN,
    UNSEEN,
    WARM_UP,
    batches,
    hybrid,
    network,
    physics,
    trained,
    world,
)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_unseen_sites_have_the_soil_that_their_attributes_say():
    """Trained on 60 sites; judged by the truth at 20 others, without the error of the probes."""
    _, conductivity, moisture = world()
    unseen = batches(UNSEEN, range(TRAIN, TRAIN + UNSEEN))
    inputs = Sample.of(unseen.read(np.arange(UNSEEN))).inputs

    def error(model):
        off = np.asarray(model(inputs))[:, WARM_UP:] - moisture[TRAIN:, WARM_UP:]
        return np.sqrt((off**2).mean(axis=1)).mean()

    found = trained(hybrid(), epochs=40, rate=0.01).model
    learned = np.asarray(found.physics.parameters(inputs)["upland.soil.k_sat"])
    order = np.argsort(np.argsort(learned)), np.argsort(np.argsort(conductivity[TRAIN:]))
    assert np.corrcoef(*order)[0, 1] >= 0.9
    alone, plain = error(Observed(physics())), error(trained(network(), 100, 0.005).model)
    # Seen: 0.0060, 0.0238 (network) and 0.0342 (uncalibrated).
    assert error(found) < 0.5 * min(alone, plain)

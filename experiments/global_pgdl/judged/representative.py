"""Step 9: which model stands for a region on the globe.

As published it is the one with the best score at its own test site; that choice looks at the test
site. The honest one is trained on all sites of the region and looks at none.
"""

from collections.abc import Sequence

import numpy as np

from experiments.global_pgdl.ground.folds import LEFT_OUT, WHOLE, Member
from experiments.global_pgdl.judged.sites import Tested
from experiments.global_pgdl.learned.models import KINDS

PUBLISHED, HONEST = "best at its test site", "trained on all sites"


def chosen(
    members: Sequence[Member], found: Tested, seed: int
) -> dict[str, dict[str, dict[int, int]]]:
    """Give a member for each rule, kind of model and region."""
    scores = found.scores()
    regions = sorted({one.region for one in members})
    whole = {
        one.region: i for i, one in enumerate(members) if one.kind == WHOLE and one.seed == seed
    }
    best = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for region in regions:
            mine = [
                place
                for place, fold in enumerate(found.folds)
                if members[fold].region == region
                and members[fold].kind == LEFT_OUT
                and members[fold].seed == seed
            ]
            rmse = np.nan_to_num(scores[kind]["rmse"][mine], nan=np.inf)
            best[kind][region] = int(found.folds[mine[int(rmse.argmin())]])
    return {PUBLISHED: best, HONEST: dict.fromkeys(KINDS, whole)}

"""What would go wrong, found before anything is compiled."""

import json
from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import member
from diffhydro.core.model_file import written
from diffhydro.core.trainable import Free, Frozen, merge
from diffhydro.data.batches import AbstractBatches
from diffhydro.errors import InputError
from diffhydro.training.fit.step import AbstractObjective
from diffhydro.training.objective import Objective
from diffhydro.typing import PyTree


def check_trained(free: Free, train: Any) -> None:
    """Refuse to train nothing."""
    if not jax.tree.leaves(free):
        raise InputError(f"nothing is trained: train is {train!r}; name parameters or weights")


def check_writable(model: PyTree, told: Mapping[str, Any]) -> None:
    """Refuse, before hours of training, a model that its file cannot hold."""
    try:
        written(model)
        json.dumps(dict(told), allow_nan=False)
    except InputError as error:
        raise InputError(
            f"the model cannot be written into the folder of the run: {error}; or train without out"
        ) from error
    except (TypeError, ValueError) as error:
        raise InputError(f"told has something that JSON cannot say: {error}") from None


def first_of(batches: AbstractBatches, members: int | None, *, is_training: bool = True) -> Any:
    """Read the first batch, which has to have something of every member in it."""
    use = "train" if is_training else "validate"
    if len(batches) == 0:
        raise InputError(f"there is nothing to {use} on: this fold has no windows")
    batch = batches.read(batches.epoch(0)[0])
    is_real = np.asarray(batch.is_real)
    axes = ["window"] if members is None else ["member", "window"]
    if is_real.ndim != len(axes):
        expected = "fit_ensemble" if members is None else "fit"
        raise InputError(
            f"a batch is [{', '.join(axes)}] here, and these have {is_real.ndim} axes: "
            f"{list(is_real.shape)}; for such batches there is {expected}"
        )
    if members is not None and len(is_real) != members:
        raise InputError(f"the batches are of {len(is_real)} members, and the model of {members}")
    counts = np.atleast_1d(is_real.sum(axis=-1))
    if not counts.all():
        which = "" if members is None else f" of member {int(np.flatnonzero(counts == 0)[0])}"
        raise InputError(f"there is nothing to {use} on: the fold{which} has no windows")
    size = is_real.shape[-1]
    if is_training and len(batches) == 1 and counts.max() < size:
        raise InputError(
            f"a batch of {size} windows is larger than the data, which have {counts.max()}; "
            f"make it {counts.max()} or smaller"
        )
    return batch


def check_objective(
    objective: AbstractObjective,
    free: Free,
    frozen: Frozen,
    sample: PyTree,
    key: Any,
    *,
    is_many: bool,
) -> tuple[tuple[str, ...], Any]:
    """Try an objective on a batch, and then on shapes alone.

    Returns:
        The names of its terms, and the type to sum them in.
    """
    if isinstance(objective, Objective):
        objective.check(sample)

    def tried(free: Free, frozen: Frozen, sample: PyTree, key: Any) -> Any:
        if is_many:
            free, frozen, sample, key = member((free, frozen, sample, key), 0)
        step = jnp.zeros((), jnp.int32)
        return objective(merge(free, frozen), sample, step=step, key=key)

    try:
        found = eqx.filter_eval_shape(tried, free, frozen, sample, key)
    except InputError:
        raise
    except (TypeError, ValueError) as error:
        raise InputError(
            f"the objective cannot take a batch: {error}. The batch has {_shapes(sample)}"
        ) from error
    if not (isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Mapping)):
        raise InputError(f"an objective returns a loss and its terms by name, and not {found}")
    total, terms = found
    for name, x in {"the loss": total, **terms}.items():
        if getattr(x, "shape", None) != () or not jnp.issubdtype(x.dtype, jnp.floating):
            raise InputError(f"{name} of an objective has to be one floating number, and is {x}")
    if "total" in terms:
        raise InputError("a term is called total; that is the name of the sum: rename it")
    # An epoch's sum of a loss in half precision would soon stand still.
    return tuple(terms), total.dtype if total.dtype.itemsize >= 4 else jnp.dtype(jnp.float32)


def _shapes(sample: PyTree) -> str:
    leaves = jax.tree_util.tree_leaves_with_path(sample)
    return ", ".join(
        f"{jax.tree_util.keystr(path).lstrip('.')} {x.dtype}{list(x.shape)}"
        for path, x in leaves
        if hasattr(x, "shape")
    )

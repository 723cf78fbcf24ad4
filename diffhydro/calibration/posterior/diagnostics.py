"""Have chains forgotten where they began, and how many draws are they worth?

    R̂² = (B/W + n − 1)/n  of halves of chains (Gelman & Rubin 1992, split as in Gelman et al. 2013)
    ESS = M N / τ          with Geyer's initial monotone sequence

R̂ above 1.01 (Vehtari et al. 2021) says that chains differ, or drift.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from types import ModuleType

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError


def blackjax() -> ModuleType:
    """Import the sampler's library."""
    try:
        import blackjax
        import blackjax.diagnostics
    except ImportError as error:
        raise InputError(
            "sampling needs BlackJAX, which is not installed: install the extra 'posterior' "
            "(pip install 'diffhydro-jax[posterior]'), or take laplace, which does without"
        ) from error
    return blackjax


def loosely() -> AbstractContextManager:
    """Return a context in which BlackJAX may mix dtypes and ranks, as it does.

    Its step sizes are float32 whatever the positions are, and its counters int32.
    """
    both = ExitStack()
    both.enter_context(jax.numpy_dtype_promotion("standard"))
    both.enter_context(jax.numpy_rank_promotion("allow"))
    return both


def split_r_hat(z: np.ndarray) -> np.ndarray:
    """Return R̂ `[site, entry]` of `[site, chain, draw, entry]`, halves of chains for chains."""
    half = z.shape[2] // 2
    halves = np.concatenate([z[:, :, :half], z[:, :, half : 2 * half]], axis=1)
    return _judged(blackjax().diagnostics.potential_scale_reduction, halves)


def effective_draws(z: np.ndarray) -> np.ndarray:
    """Return ESS `[site, entry]` of `[site, chain, draw, entry]`."""
    return _judged(blackjax().diagnostics.effective_sample_size, z)


def _judged(diagnostic: Callable[[jax.Array], jax.Array], z: np.ndarray) -> np.ndarray:
    """Apply a diagnostic to all sites and entries, on one axis behind chains and draws."""
    sites, chains, draws, entries = z.shape
    flat = jnp.asarray(np.moveaxis(z, 0, 2).reshape(chains, draws, sites * entries))
    with loosely():
        # Compiled as a whole, which is faster than each of its many small operations alone.
        found = jax.jit(diagnostic)(flat)
    return np.asarray(found, np.float64).reshape(sites, entries)

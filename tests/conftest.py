"""Strict numerics for every test, and the reference solutions where they are to be had."""

import os
from pathlib import Path

import jax
import pytest

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(scope="session", autouse=True)
def _no_trace_in_the_users_cache(tmp_path_factory):
    os.environ["DIFFHYDRO_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache") / "xla")


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference solutions: the one that holds `richards/`."""
    named = os.environ.get("DIFFHYDRO_REFERENCE")
    if not named:
        pytest.skip("set DIFFHYDRO_REFERENCE to the folder that contains reference/richards")
    for folder in (Path(named) / "reference", Path(named)):
        if (folder / "richards").is_dir():
            return folder.resolve()
    pytest.fail(f"DIFFHYDRO_REFERENCE is {named}, which contains no reference/richards")


@pytest.fixture
def loose_promotion():
    """Let Optax's Adam and schedules mix a float with their int32 step counter."""
    with jax.numpy_dtype_promotion("standard"):
        yield

"""Strict numerics for every test, and the reference solutions where they are to be had."""

import os
from pathlib import Path

import equinox as eqx
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


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real stations and raw files: `data` beside the reference solutions."""
    named = os.environ.get("DIFFHYDRO_REFERENCE")
    if not named:
        pytest.skip("set DIFFHYDRO_REFERENCE to the folder that contains data/raw")
    folder = Path(named) / "data"
    if not (folder / "raw").is_dir():
        pytest.fail(f"DIFFHYDRO_REFERENCE is {named}, which contains no data/raw")
    return folder.resolve()


@pytest.fixture(autouse=True)
def _room_for_programs():
    """Forget compiled programs before the kernel's limit on memory maps (65 530) is reached.

    Every program that XLA:CPU compiles keeps several maps; at the limit the process is aborted.
    """
    yield
    maps = Path("/proc/self/maps")
    if maps.exists() and maps.read_bytes().count(b"\n") > 20_000:
        eqx.clear_caches()


@pytest.fixture
def loose_promotion():
    """Let Optax's Adam and schedules mix a float with their int32 step counter."""
    with jax.numpy_dtype_promotion("standard"):
        yield

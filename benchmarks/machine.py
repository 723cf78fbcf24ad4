"""The machine as the measurements want it: one core, one thread, plain flags."""

import os
import platform
import sys
from pathlib import Path

from diffhydro.app.vectors import use_wide_vectors

ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def use_one_core() -> None:
    """Pin this process to one core, before jax or numba count them.

    The first core is left to whatever else the machine does.
    """
    if "jax" in sys.modules:
        raise RuntimeError("pin the process before importing jax: it counts cores on import")
    set_flags()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def set_flags() -> None:
    """Ask for one thread per program, for wide vectors as `diffhydro` does, and for no cache."""
    flags = os.environ.get("XLA_FLAGS", "")
    if ONE_THREAD not in flags:
        os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
    use_wide_vectors()
    os.environ["NUMBA_NUM_THREADS"] = "1"
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"


def describe() -> str:
    """Name the processor, the versions and the load."""
    import jax
    import numba

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    load = " ".join(f"{x:.2f}" for x in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    return (
        f"{model}, {os.cpu_count()} cores, load {load}; Python {platform.python_version()}, "
        f"jax {jax.__version__}, numba {numba.__version__}"
    )

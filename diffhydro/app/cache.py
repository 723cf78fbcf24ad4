"""Keep compiled programs between runs, in the user's own cache folder.

XLA compiles a gradient of a soil column in seconds, and compiles it again in every new process
unless the result is kept. The command line keeps it by default; from Python it is one call.

Two environment variables rule over the defaults: `DIFFHYDRO_CACHE_DIR` names the folder and
`DIFFHYDRO_CACHE=0` switches the cache off. Where jax already has a cache folder of the user's
choice (`JAX_COMPILATION_CACHE_DIR`), that one stays.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path

__all__ = ["cache_folder", "enable_compilation_cache", "is_cache_wanted"]

SHORTEST_COMPILATION_KEPT = 0.3  # s; below this, reading the file costs as much as compiling

_log = logging.getLogger("diffhydro")


def enable_compilation_cache(folder: str | Path | None = None) -> Path | None:
    """Keep compiled programs in `folder` and return the folder in use, or None if there is none.

    A folder that cannot be written is reported in one line and otherwise ignored: a slower start
    is better than no start. The folder is made readable by its owner only, because jax runs what
    it finds there.

    Args:
        folder: where to keep them; by default `cache_folder()`.

    >>> import tempfile
    >>> import diffhydro as dh
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     in_use = dh.enable_compilation_cache(folder)  # doctest: +SKIP
    """
    if not is_cache_wanted():
        return None

    import jax

    chosen_in_jax = jax.config.jax_compilation_cache_dir  # pyright: ignore[reportAttributeAccessIssue]
    if folder is None and chosen_in_jax:
        return Path(chosen_in_jax)
    chosen = cache_folder() if folder is None else Path(folder).expanduser().absolute()
    refusal = _refusal(chosen)
    if refusal:
        _log.warning("diffhydro: compiling without a cache, cannot write %s: %s", chosen, refusal)
        return None
    jax.config.update("jax_compilation_cache_dir", str(chosen))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", SHORTEST_COMPILATION_KEPT)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)  # any size
    return chosen


def is_cache_wanted() -> bool:
    """Say whether the environment leaves the cache on."""
    return os.environ.get("DIFFHYDRO_CACHE", "1").strip().lower() not in {"0", "false", "no", "off"}


def cache_folder() -> Path:
    """Return the folder for compiled programs: `DIFFHYDRO_CACHE_DIR`, or the platform's own."""
    chosen = os.environ.get("DIFFHYDRO_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser().absolute()
    return _user_cache() / "diffhydro" / "xla"


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification: a relative path is to be ignored.
    return Path(chosen) if Path(chosen).is_absolute() else Path.home() / ".cache"


def _refusal(folder: Path) -> str | None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)

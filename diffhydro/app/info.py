"""What is installed here and what it runs on: the first thing to paste into a bug report."""

import platform
from importlib.metadata import version

from diffhydro._version import __version__
from diffhydro.app.cache import cache_folder, is_cache_wanted

__all__ = ["facts"]

LIBRARIES = ("jax", "jaxlib", "equinox", "flax", "optax", "numpy")


def facts() -> dict[str, str]:
    """Return name and value of everything `diffhydro info` prints, in order."""
    import jax

    devices = jax.devices()
    return {
        "diffhydro": __version__,
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        **{library: version(library) for library in LIBRARIES},
        "devices": ", ".join(f"{device.platform}:{device.id}" for device in devices),
        "dtype": str(jax.numpy.asarray(0.0).dtype),
        "cache": _cache(),
    }


def _cache() -> str:
    if not is_cache_wanted():
        return "off (DIFFHYDRO_CACHE)"
    folder = cache_folder()
    programs = list(folder.glob("*-cache")) if folder.is_dir() else []
    size = sum(program.stat().st_size for program in programs) / 2**20
    return f"{folder} ({len(programs)} programs, {size:.1f} MiB)"

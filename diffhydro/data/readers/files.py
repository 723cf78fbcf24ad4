"""Files that may be damaged: what a library makes of one becomes an error that names it."""

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diffhydro.data.readers.heaps import check_heaps
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

# What parsers raise when bytes are not what they expect. A reader is done with its arguments
# before it opens a file, so these are the file's doing.
DAMAGE = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
MOST_TEXT = 2**30  # bytes; a text file of a station-decade has 1e7


@contextmanager
def reading(path: Path, expected: str, extra: str = "data") -> Iterator[None]:
    """Turn what goes wrong inside into an InputError that names the file and what it should be.

    Args:
        expected: What the file should be, after "is not readable as".
        extra: The extra that holds the libraries.
    """
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        raise InputError(
            f"reading {path.name} needs {error.name}; install diffhydro-jax[{extra}]"
        ) from error
    except FileNotFoundError as error:
        raise InputError(f"no file at {path}") from error
    except DAMAGE as error:
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(
            f"{path} is not readable as {expected}: {said}; it may be cut short or damaged, "
            "fetch it again"
        ) from error


def open_netcdf(path: Path, *, expected: str, chunks: Any = None, **options: Any) -> "xr.Dataset":
    """Open a NetCDF-4 or HDF5 file without reading its values.

    Args:
        chunks: `{}` for the chunks of the file, None for values that are read when they are used.
        options: Of `xarray.open_dataset`.
    """
    import xarray as xr

    with reading(path, expected):
        check_heaps(path)
        return xr.open_dataset(path, engine="h5netcdf", chunks=chunks, **options)


def text(path: Path, *, expected: str, encoding: str = "utf-8") -> str:
    """Read a text file whole; its lines may end in any of the three ways."""
    with reading(path, expected):
        size = path.stat().st_size
        if size > MOST_TEXT:
            raise InputError(f"{path} has {size} bytes; {expected} has at most {MOST_TEXT}")
        return path.read_text(encoding, errors="replace")

"""Damaged copies of a file, and what a reader may make of them: an error that says so, or values
that are missing or possible. Never a crash, a hang, or a wrong kind of error."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

# Enough to find what is fragile; DIFFHYDRO_DAMAGE=1000 for the figure that the documentation gives.
COPIES = int(os.environ.get("DIFFHYDRO_DAMAGE", "40"))


def damaged(whole: bytes, copies: int = COPIES, seed: int = 0) -> Iterator[bytes]:
    """Yield copies cut short, with bits flipped, blocks zeroed, repeated, lost, or swapped."""
    rng = np.random.default_rng(seed)
    size = len(whole)
    for i in range(copies):
        broken = bytearray(whole)
        start, length = int(rng.integers(size)), int(rng.integers(1, max(2, min(size, 400))))
        kind = i % 6
        if kind == 0:
            del broken[start:]
        elif kind in (1, 2):
            # Half of the flips near the beginning, where headers are.
            reach = min(size, 4096) if kind == 1 else size
            for at in rng.integers(reach, size=int(rng.integers(1, 40))):
                broken[at] ^= 1 << int(rng.integers(8))
        elif kind == 3:
            broken[start : start + length] = bytes(len(broken[start : start + length]))
        elif kind == 4:
            broken[start:start] = broken[start : start + length]
        else:
            del broken[start : start + length]
        yield bytes(broken)


def survive(read: Callable[[Path], object], whole: Path, folder: Path, copies: int = COPIES) -> int:
    """Read all copies in this process; give how many were refused."""
    refused = 0
    target = folder / whole.name
    for broken in damaged(whole.read_bytes(), copies):
        target.write_bytes(broken)
        try:
            check(read(target))
        except InputError:
            refused += 1
    return refused


def check(found) -> None:
    """Load a data set and hold every value against its variable's range."""
    for name, values in found.data_vars.items():
        variable = VARIABLES.get(str(name))
        if variable is None:
            continue
        x = np.asarray(values.values, np.float64)
        x = x[np.isfinite(x)]
        near = 1e-6 * max(abs(variable.least), abs(variable.most))
        assert x.size == 0 or variable.least - near <= x.min(), name
        assert x.size == 0 or x.max() <= variable.most + near, name


def survive_apart(
    reader: str, whole: Path, folder: Path, copies: int = COPIES, seconds: float = 300.0
) -> int:
    """Read all copies in another process, which a library in C may bring down; give the refused.

    Args:
        reader: `"module:function"`, which takes a path.
    """
    command = [sys.executable, __file__, reader, str(whole), str(folder), str(copies)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    assert done.returncode == 0, f"{done.returncode}: {done.stdout[-500:]} {done.stderr[-3000:]}"
    return int(done.stdout.split()[-1])


if __name__ == "__main__":
    module, function = sys.argv[1].split(":")
    reader = getattr(__import__(module, fromlist=[function]), function)
    print(survive(reader, Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])))

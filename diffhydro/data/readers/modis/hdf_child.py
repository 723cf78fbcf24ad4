"""Reads HDF4 in a process of its own: the library writes over its memory when a file is damaged.

`python hdf_child.py PATH` answers with the names of the fields of two dimensions, one a line, as
`name rows columns type`. `python hdf_child.py PATH FIELD TOP BOTTOM LEFT RIGHT` answers with the
bytes of that window. What goes wrong is said on the other channel, with exit status 2.
"""

import contextlib
import sys
from typing import Any

UINT8 = 21  # HDF4's number of the type
MEMORY = 2**31  # bytes that the process may have


def main(arguments: list[str]) -> int:
    """Answer one question."""
    from pyhdf.error import HDF4Error
    from pyhdf.SD import SD, SDC

    _limit()
    try:
        file = SD(arguments[0], SDC.READ)
        answer = _listed(file) if len(arguments) == 1 else _window(file, *arguments[1:])
    except (HDF4Error, ValueError, TypeError, KeyError, MemoryError) as error:
        sys.stderr.write(str(error) or type(error).__name__)
        return 2
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
    return 0


def _limit() -> None:
    with contextlib.suppress(ImportError):  # which Windows has not
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _listed(file: Any) -> bytes:
    lines = []
    for name, (_, shape, kind, _) in file.datasets().items():
        if len(shape) == 2 and not set(name) & set(" \n"):
            lines.append(f"{name} {shape[0]} {shape[1]} {kind}\n")
    return "".join(lines).encode()


def _window(file: Any, field: str, top: str, bottom: str, left: str, right: str) -> bytes:
    start, count = [int(top), int(left)], [int(bottom) - int(top), int(right) - int(left)]
    found = file.select(field)
    _, rank, _, kind, _ = found.info()
    if rank != 2 or kind != UINT8:
        raise ValueError(f"{field} has {rank} dimensions and type {kind}")
    return found.get(start=start, count=count).tobytes()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

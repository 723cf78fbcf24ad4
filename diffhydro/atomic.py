"""Files and folders that are whole or absent, whatever happens while they are written."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["whole"]


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Give a path to write to, beside `target`; put it in its place when all went well.

    What is at `target` is replaced if it is a file; a folder is replaced by a folder.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    _remove(part)
    try:
        yield part
    except BaseException:
        _remove(part)
        raise
    if target.is_dir():
        shutil.rmtree(target)
    part.replace(target)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

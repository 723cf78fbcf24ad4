"""Model files as nobody should write them."""

import json
from pathlib import Path

from diffhydro.core.model_file import archive
from diffhydro.core.model_file.file import FORMAT, VERSION


def forged(path: Path, tree, contents=(), **changes) -> Path:
    """Write a file around a tree of JSON; its digest is right, whatever it says."""
    about = {"format": FORMAT, "version": VERSION, "versions": {}, "told": {}, "units": {}}
    about |= {"model": tree, **changes}
    pieces = {f"arrays/{i}": content for i, content in enumerate(contents)}
    archive.write(path, {archive.TREE: json.dumps(about).encode(), **pieces})
    return path


def changed(path: Path, change) -> Path:
    """Write a file again with its JSON, as text, changed."""
    pieces = archive.read(path)
    pieces[archive.TREE] = change(pieces[archive.TREE].decode()).encode()
    archive.write(path, pieces)
    return path

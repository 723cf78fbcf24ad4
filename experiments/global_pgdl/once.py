"""Work that is done once: what a step has trained is kept, and read where a run goes on."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from diffhydro.core.model_file import load, save

CHECKPOINTS = "checkpoints"  # in the folder of a run
Made = TypeVar("Made")


def once(out: Path, name: str, make: Callable[[], Made]) -> Made:
    """Give what was kept under a name, or make it and keep it; the same, bit for bit.

    The folder belongs to one run: whoever calls sees to it that the settings are those of before.
    """
    file = out / CHECKPOINTS / f"{name.lower().replace(' ', '_')}.dh"
    if file.is_file():
        return load(file)
    made = make()
    file.parent.mkdir(parents=True, exist_ok=True)
    save(file, made)
    return made

"""Models in files that open by path alone.

A model file is one archive: a tree of names and numbers as JSON, and every array as plain bytes.
Nothing in it is code. What it names is looked up in a short list of packages, so that a file from a
stranger can hold a bad model, and no more than that.
"""

from diffhydro.core.model_file.file import FILE, Description, describe, load, save, versions
from diffhydro.core.model_file.writing import written

__all__ = ["FILE", "Description", "describe", "load", "save", "versions", "written"]

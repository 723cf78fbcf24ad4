"""Write docs/parameters.md from the declarations in the code: `python docs/make_parameters.py`.

A test fails while the checked-in page says something else.
"""

import dataclasses
import importlib
import inspect
from pathlib import Path

import equinox as eqx

import diffhydro
from diffhydro.core.parameters import ParameterSpec, parameter_table

PAGE = Path(__file__).with_name("parameters.md")
HEAD = """# Parameters

Generated from the code by `python docs/make_parameters.py`; edit the declarations, not this page.

A parameter's address is its dotted path, such as `soil.k_sat`. `allowed` is the range that training
keeps to, both ends included. A row marked † is `fixed`: it is trained only when named in full,
never by a pattern.
"""


def classes() -> list[type[eqx.Module]]:
    """Every concrete class of soil and land that declares a parameter, by module and name.

    What the virtual Earth is made of is nobody's to train.
    """
    found = []
    root = Path(diffhydro.__file__).parents[1]
    for file in sorted(root.glob("diffhydro/**/[a-z]*.py")):
        if "virtual" in file.parts:
            continue
        path = ".".join(file.relative_to(root).with_suffix("").parts)
        module = importlib.import_module(path)
        for name, kind in inspect.getmembers(module, inspect.isclass):
            here = kind.__module__ == path and issubclass(kind, eqx.Module)
            if here and not name.startswith("Abstract") and _specs(kind):
                found.append(kind)
    return found


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for kind in classes():
        first = (inspect.getdoc(kind) or "").split("\n\n")[0].replace("\n", " ")
        parts.append(f"## {kind.__name__}\n\n`{kind.__module__}`. {first}\n\n{_table(kind)}\n")
    return "\n".join(parts)


def _specs(kind: type) -> dict[str, ParameterSpec]:
    marks = {field.name: field.metadata.get("diffhydro") for field in dataclasses.fields(kind)}
    return {name: mark for name, mark in marks.items() if isinstance(mark, ParameterSpec)}


def _table(kind: type[eqx.Module]) -> str:
    text = parameter_table(kind)
    for name, spec in _specs(kind).items():
        if spec.fixed:
            text = text.replace(f"| `{name}` |", f"| `{name}` † |")
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE}")

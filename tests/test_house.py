"""What holds for the whole repository, whatever lives in it."""

import ast
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import diffhydro

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "diffhydro"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(diffhydro.__path__, "diffhydro.", onerror=lambda _: None)
)
LONGEST_FILE = 350
# Heavy or optional: imported inside the function that needs them.
LATE = {
    "matplotlib",
    "SALib",
    "blackjax",
    "rasterio",
    "optuna",
    "dask",
    "numba",
    "scipy",
    "sklearn",
    "xarray",
}


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _tracked_text() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()]


def _imports(statements: list[ast.stmt]) -> set[str]:
    """Return the top-level packages imported when the module itself is imported."""
    found = set()
    for statement in statements:
        if isinstance(statement, ast.Import):
            found |= {alias.name.split(".")[0] for alias in statement.names}
        elif isinstance(statement, ast.ImportFrom) and statement.module:
            found.add(statement.module.split(".")[0])
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            found |= _imports(statement.orelse)
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            for block in ("body", "orelse", "finalbody", "handlers"):
                found |= _imports(getattr(statement, block, []))
    return found


def test_no_file_names_a_registry_or_someones_machine():
    host = r"(pypi|pythonhosted|npmjs|anaconda)\.(org|com)"
    option = r"--(extra-)?index-url|--find-links|--trusted-host"
    home = r"(?<![\w.])/(home|Users)/\w|(?<![\w.~])/root\b|[A-Z]:\\Users\\"
    forbidden = re.compile(f"{host}|{option}|{home}", re.IGNORECASE)
    this = Path(__file__).resolve()
    found = [
        f"{_named(file)}:{number}: {line.strip()}"
        for file in _tracked_text()
        if file.resolve() != this
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if forbidden.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("file", sorted(ROOT.glob("constraints/*.txt")), ids=lambda file: file.name)
def test_constraints_are_plain_pins(file):
    lines = file.read_text().splitlines()
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[a-z0-9.]+", line)] == []
    assert lines == sorted(lines)


def test_import_is_light():
    code = "import sys, diffhydro; print({'jax', 'numpy', 'equinox'} & set(sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "set()"


@pytest.mark.parametrize("name", diffhydro.__all__)
def test_everything_in_the_table_of_contents_is_there(name):
    assert getattr(diffhydro, name) is not None
    assert name in dir(diffhydro)


def test_the_stub_says_what_the_table_says():
    stub = ast.parse((PACKAGE / "__init__.pyi").read_text())
    said = {
        alias.name: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    rooms = dict.fromkeys(diffhydro._ROOMS, "diffhydro")
    assert said == diffhydro._HOME | rooms | {"__version__": "diffhydro._version"}


def test_an_unknown_name_gets_the_nearest_one():
    with pytest.raises(AttributeError, match="did you mean 'VanGenuchten'"):
        _ = diffhydro.VanGenuchtem
    with pytest.raises(AttributeError, match=r"'qqqqqq'$"):
        _ = diffhydro.qqqqqq


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_lives_there(name):
    if not any(part.startswith("_") for part in name.split(".")):
        assert importlib.import_module(name).__doc__


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    failed, _ = doctest.testmod(
        importlib.import_module(name),
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert failed == 0


@pytest.mark.parametrize("file", SOURCES, ids=_named)
def test_files_stay_short(file):
    assert len(file.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("file", SOURCES, ids=_named)
def test_heavy_libraries_are_imported_late(file):
    assert _imports(ast.parse(file.read_text()).body) & LATE == set()

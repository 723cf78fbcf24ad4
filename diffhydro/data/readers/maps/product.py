"""A product: its variables by the file's names, and the way from opened files to the schema."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Origin, Source, upright
from diffhydro.data.readers.maps.opening import names_in
from diffhydro.data.readers.steps import conform_steps
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_METHOD = re.compile(r"time\s*:\s*(point|mean|sum)")
_STAMPS = {"point": "instant", "mean": "end", "sum": "end"}
Conform = Callable[["xr.Dataset", Mapping[str, Source], Origin], "xr.Dataset"]


@dataclass(frozen=True)
class Product:
    """What a product holds.

    Args:
        sources: By the file's names, and by the names of what is `made` of them. Of several for
            one variable of the schema the first that is there is taken.
        made: For a name of `sources` that no file has, what it is made of.
        conform: The last step, `conform` for days and `conform_steps` for less.
    """

    name: str
    sources: Mapping[str, Source]
    made: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    conform: Conform = conform_steps

    def wanted(self, variables: Iterable[str] | None) -> dict[str, Source]:
        """Keep the sources of some variables of the schema; None for all."""
        if variables is None:
            return dict(self.sources)
        asked = [variables] if isinstance(variables, str) else list(variables)
        known = dict.fromkeys(source.name for source in self.sources.values())
        for name in asked:
            if name not in known:
                raise InputError(f"{self.name} has no {name}; it has {', '.join(known)}")
        return {label: s for label, s in self.sources.items() if s.name in asked}

    def labels(self, sources: Mapping[str, Source]) -> list[str]:
        """List what must be read from files for some sources."""
        parts = (self.made.get(label, (label,)) for label in sources)
        return list(dict.fromkeys(label for part in parts for label in part))

    def schema(
        self,
        found: "xr.Dataset",
        sources: Mapping[str, Source],
        files: Iterable[Path],
        notes: Mapping[str, str],
    ) -> "xr.Dataset":
        """Turn maps north up and into the schema's variables."""
        taken: dict[str, Source] = {}
        for label, source in sources.items():
            if label in found and source.name not in {s.name for s in taken.values()}:
                taken[label] = source
        # A file's own word on a unit goes before what is known of the product.
        own = {n for n in taken if "units" in found[n].attrs}
        taken = {n: replace(s, unit=None) if n in own else s for n, s in taken.items()}
        files = tuple(files)
        if not taken:
            raise InputError(
                f"{files[0].name} has none of what is read of {self.name} ({_some(sources)}); it "
                f"has {_some(names_in(files[0]))}"
            )
        origin = Origin(self.name, files, {"time_zone": "UTC", **notes})
        made = self.conform(upright(found), taken, origin)
        return made.transpose("time", "depth", "y", "x", missing_dims="ignore")


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    shown = ", ".join(names[:most]) or "nothing that is read"
    return shown if len(names) <= most else f"{shown}, … {len(names) - most} more"


def stamped(found: "xr.Dataset", sources: Mapping[str, Source]) -> dict[str, Source]:
    """Let what files say of their times go before what is known of the product."""
    made = {}
    for label, source in sources.items():
        method = found[label].attrs.get("cell_methods", "") if label in found else ""
        said = _METHOD.search(method)
        made[label] = replace(source, stamp=_STAMPS[said[1]]) if said else source
    return made


def expect_unit(found: "xr.Dataset", label: str, *units: str) -> None:
    """Raise InputError if a file says another unit for a variable; what it does not say is so."""
    said = found[label].attrs.get("units", units[0])
    if said not in units:
        raise InputError(f"{label} is in {said!r}; expected {' or '.join(units)}")


def files_of(
    paths: Path | Iterable[Path], is_one: Callable[[Path], bool], expected: str
) -> list[Path]:
    """List the files: those given, and those below given folders that are of the product."""
    given = [paths] if isinstance(paths, Path) else list(paths)
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += sorted(p for p in path.rglob("*") if p.is_file() and is_one(p))
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(f"no file at {path}")
    if not found:
        raise InputError(f"no file {expected} in {', '.join(map(str, given)) or 'nothing'}")
    return found

"""The YAML files of `calibrate` and `sensitivity`: read safely, checked key by key.

What a key means stands beside it, and `docs/configuration.md` is made from it.
"""

import datetime
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from diffhydro.errors import InputError

Date = datetime.date
_DESCRIBES = re.compile(r"(list|dict|tuple|literal|float|str|int)\b(\[|$)")
Kind = TypeVar("Kind", bound=BaseModel)


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def _of(part: type[Part]) -> Any:
    """Make the default of a part: all its keys at theirs."""
    return lambda: part.model_validate({})


def _as_number(value: Any) -> Any:
    """Read 1e-3, which YAML takes for a word; a truth is no number."""
    if isinstance(value, bool):
        raise ValueError("expected a number, or the name of an attribute")
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Number = Annotated[float | str, BeforeValidator(_as_number)]


class DataConfig(Part):
    """Where weather and observations come from."""

    sites: str = Field(description="a NetCDF file or zarr store of sites, or `embedded`")
    attributes: str | None = Field(None, description="a table with a row for each site")
    only: list[str] | None = Field(None, description="names of the sites to use; all by default")


class ObservedConfig(Part):
    """One series that is compared."""

    variable: Literal["soil_moisture", "runoff", "evapotranspiration"] = Field(
        "soil_moisture", description="in the data; water fluxes are in mm/day"
    )
    depth: float | None = Field(None, gt=0, description="of the probe, mm")
    loss: Literal["mse", "nse", "kge", "huber", "gaussian"] = Field(
        "mse", description="how far two series are apart"
    )
    weight: float = Field(1.0, gt=0, description="among other series")
    limit: float = Field(0.03, gt=0, description="of `huber`: where differences become large")
    sigma: float = Field(0.03, gt=0, description="of `gaussian`: standard deviation of errors")
    growth: float = Field(0.0, ge=0, description="of `gaussian`: of sigma with the value")
    memory: float = Field(0.0, ge=0, lt=1, description="of `gaussian`: from one day to the next")

    @model_validator(mode="after")
    def _has_depth(self):
        if (self.variable == "soil_moisture") != (self.depth is not None):
            raise ValueError("soil_moisture is observed at a depth, in mm; a flux is not")
        return self

    @property
    def name(self) -> str:
        """Give what the series is called in reports and paths."""
        return (
            self.variable
            if self.depth is None
            else f"{self.variable}_{self.depth:g}mm".replace(".", "_")
        )


class PeriodConfig(Part):
    """Which days are for what."""

    train: tuple[Date, Date] | None = Field(None, description="first and last day of the fit")
    test: tuple[Date, Date] | None = Field(None, description="first and last day held out")
    spin_up: int = Field(
        365, ge=0, description="days at the beginning that are run once before, for the state"
    )

    @model_validator(mode="after")
    def _in_order(self):
        for name in ("train", "test"):
            days = getattr(self, name)
            if days is not None and days[0] >= days[1]:
                raise ValueError(f"{name} ends on {days[1]}, not after it begins on {days[0]}")
        if (
            self.train
            and self.test
            and self.train[0] <= self.test[1]
            and self.test[0] <= self.train[1]
        ):
            raise ValueError("train and test share days; a held-out day must not be fitted")
        return self


class SharingConfig(Part):
    """Parameters that sites have in common; the others are every site's own."""

    shared: list[str] = Field(default_factory=list, description="paths that all sites share")
    by_cluster: list[str] = Field(default_factory=list, description="that sites of a cluster share")
    clusters: str | None = Field(None, description="attribute of the sites that names clusters")


class SearchConfig(Part):
    """How the best parameters are looked for."""

    method: Literal["levenberg-marquardt", "lbfgs", "adam"] = Field(
        "levenberg-marquardt", description="the first needs a loss with residuals: not `kge`"
    )
    starts: int = Field(4, ge=1, description="of every site: the first from its own values")
    seed: int = Field(0, ge=0, description="of the other starts")
    lanes: int = Field(512, ge=1, description="searches side by side")
    most: int | None = Field(
        None, ge=1, description="rounds of one search; the method's own number"
    )
    tolerance: float = Field(1e-4, gt=0, lt=1, description="gain that ends a search, as a share")


class PriorConfig(Part):
    """A pull towards the values before, or a law within bounds."""

    kind: Literal["near", "uniform"] = Field("near", description="Tikhonov's, or flat")
    spread: float = Field(1.5, gt=0, description="of `near`, in free numbers")
    strength: float = Field(1.0, gt=0, description="of `near`: what the penalty is multiplied by")


class TwinConfig(Part):
    """Observations that are made: the model with drawn parameters, and noise."""

    noise: float = Field(0.02, ge=0, description="standard deviation, in units of the series")
    seed: int = Field(1, ge=0, description="of parameters and noise")


class Config(Part):
    """A calibration."""

    model: Literal["wbm", "hbv", "column"] = Field(description="water balance, buckets, Richards")
    data: DataConfig
    observed: list[ObservedConfig] = Field(min_length=1)
    train: list[str] | Literal["upland", "wetland"] = Field(
        description="paths and patterns, or a set of study A"
    )
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="values, or names of attributes, by path"
    )
    period: PeriodConfig = Field(default_factory=_of(PeriodConfig))
    search: SearchConfig = Field(default_factory=_of(SearchConfig))
    sharing: SharingConfig = Field(default_factory=_of(SharingConfig))
    prior: PriorConfig | None = None
    twin: TwinConfig | None = None
    dtype: Literal["float32", "float64"] = Field("float32", description="floating-point type")

    @model_validator(mode="after")
    def _fits(self):
        names = [one.name for one in self.observed]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"two observed series are called {twice[0]}; give each its own depth")
        blind = [one.name for one in self.observed if one.loss == "kge"]
        if blind and self.search.method == "levenberg-marquardt":
            raise ValueError(
                f"kge of {', '.join(blind)} has no residuals for levenberg-marquardt; "
                "choose lbfgs or adam"
            )
        return self


def read_config(path: Path) -> Config:
    """Read and check a calibration."""
    return read_as(Config, path)


def read_as(kind: type[Kind], path: Path) -> Kind:
    """Read and check a file of one kind."""
    if not path.is_file():
        raise InputError(f"no configuration at {path}: expected a YAML file")
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path} holds a {type(found).__name__}; expected keys such as model")
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        problems = "; ".join(_told(kind, one) for one in error.errors())
        raise InputError(f"in {path}: {problems}") from None


def _told(kind: type[BaseModel], problem: Any) -> str:
    # Where a key may hold one of several things, the way leads through their descriptions.
    where = ".".join(str(key) for key in problem["loc"] if not _DESCRIBES.match(str(key)))
    if problem["type"] == "extra_forbidden":
        near = get_close_matches(str(problem["loc"][-1]), _keys(kind, problem["loc"][:-1]), 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        return f"there is no key {where}{hint}"
    message = problem["msg"].removeprefix("Value error, ")
    given = problem.get("input")
    shown = f" (got {given!r})" if isinstance(given, str | int | float) else ""
    return f"{where or 'the whole'}: {message}{shown}"


def _keys(kind: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    part: Any = kind
    for key in path:
        if isinstance(key, int):
            continue
        field = part.model_fields.get(str(key))
        inner = [] if field is None else _models(field.annotation)
        if not inner:
            return []
        part = inner[0]
    return list(part.model_fields)


def _models(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in getattr(annotation, "__args__", ()) for m in _models(inner)]

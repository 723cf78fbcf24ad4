"""The YAML file of `diffhydro calibrate`, and the parts that all configurations share.

What a key means stands beside it, and `docs/configuration.md` is made from it.
"""

import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Date = datetime.date


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def defaults_of(part: type[Part]) -> Any:
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


EMBEDDED = "embedded"  # in place of a file of sites


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

    task: Literal["calibrate"] = Field("calibrate", description="the command, for `diffhydro run`")
    model: Literal["wbm", "hbv", "column"] = Field(description="water balance, buckets, Richards")
    data: DataConfig
    observed: list[ObservedConfig] = Field(min_length=1)
    train: list[str] | Literal["upland", "wetland"] = Field(
        description="paths and patterns, or a set of study A"
    )
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="values, or names of attributes, by path"
    )
    period: PeriodConfig = Field(default_factory=defaults_of(PeriodConfig))
    search: SearchConfig = Field(default_factory=defaults_of(SearchConfig))
    sharing: SharingConfig = Field(default_factory=defaults_of(SharingConfig))
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


Located = TypeVar("Located", bound=BaseModel)


def located(config: Located, folder: Path) -> Located:
    """Give a configuration whose files, which count from `folder`, are found from anywhere."""
    data = getattr(config, "data")  # noqa: B009  # of any configuration that reads sites

    def whole(name: str | None) -> str | None:
        return name if name in (None, EMBEDDED) else str((folder / name).resolve())

    files = {"sites": whole(data.sites), "attributes": whole(data.attributes)}
    return config.model_copy(update={"data": data.model_copy(update=files)})

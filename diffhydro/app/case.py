"""Richards cases in JSON: read, checked, and turned from metres into millimetres.

The format describes a column, its layers, what acts at both ends, roots, and when to report.
This is a border: names here carry the file's words and units.
"""

import itertools
import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MM_PER_M = 1000.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, strict=True)


class _Soil(_Part):
    theta_r: float = Field(ge=0)
    theta_s: float = Field(gt=0, le=1)
    Ks: float = Field(gt=0)

    @model_validator(mode="after")
    def _has_pores(self):
        if self.theta_r >= self.theta_s:
            raise ValueError(
                f"theta_r must lie below theta_s, got {self.theta_r} and {self.theta_s}"
            )
        return self


def _above_one(value: float) -> float:
    if value <= 1.0:
        raise ValueError("must be > 1")
    return value


AboveOne = Annotated[float, AfterValidator(_above_one)]


class VanGenuchtenSpec(_Soil):
    model: Literal["van_genuchten"]
    alpha: float = Field(gt=0)
    n: AboveOne
    l: float = 0.5  # noqa: E741 - the format's own name


class BrooksCoreySpec(_Soil):
    model: Literal["brooks_corey"]
    h_b: float = Field(gt=0)
    lambda_: float = Field(alias="lambda", gt=0)
    l: float = 0.5  # noqa: E741


class HaverkampSpec(_Soil):
    model: Literal["haverkamp"]
    h_theta: float = Field(gt=0)
    beta: float = Field(gt=0)
    h_K: float = Field(gt=0)
    gamma: float = Field(gt=0)


class GardnerSpec(_Soil):
    model: Literal["gardner"]
    alpha: float = Field(gt=0)


class BroadbridgeWhiteSpec(_Soil):
    model: Literal["broadbridge_white"]
    lambda_s: float = Field(gt=0)
    C: AboveOne


SoilSpec = Annotated[
    VanGenuchtenSpec | BrooksCoreySpec | HaverkampSpec | GardnerSpec | BroadbridgeWhiteSpec,
    Field(discriminator="model"),
]


class LayerSpec(_Part):
    top: float
    bottom: float
    soil: SoilSpec


class UniformHead(_Part):
    type: Literal["uniform_head"]
    h: float


class Hydrostatic(_Part):
    type: Literal["hydrostatic"]
    water_table_depth: float


class SteadyFlux(_Part):
    type: Literal["steady_flux"]
    q: float
    h_bottom: float


class TopHead(_Part):
    type: Literal["head"]
    value: float | None = None


class TopFlux(_Part):
    type: Literal["flux"]
    value: float | None = None


class TopAtmosphere(_Part):
    type: Literal["atmosphere"]
    P: float | None = Field(default=None, ge=0)
    Epot: float | None = Field(default=None, ge=0)
    h_air_dry: float = Field(lt=0)
    pond_max: float = Field(default=0.0, ge=0)


class BottomHead(_Part):
    type: Literal["head"]
    value: float | None = None


class BottomFlux(_Part):
    type: Literal["flux"]
    value: float | None = None


class BottomOpen(_Part):
    type: Literal["free_drainage", "no_flow", "seepage"]


class FeddesSpec(_Part):
    h1: float
    h2: float
    h3: float
    h4: float

    @model_validator(mode="after")
    def _falls(self):
        if not self.h1 > self.h2 >= self.h3 > self.h4:
            raise ValueError(
                f"needs h1 > h2 >= h3 > h4, got {self.h1}, {self.h2}, {self.h3}, {self.h4}"
            )
        return self


class RootSpec(_Part):
    depth: float = Field(gt=0)
    shape: Literal["linear", "uniform", "exponential"]
    k: float | None = Field(default=None, gt=0)
    feddes: FeddesSpec

    @model_validator(mode="after")
    def _complete(self):
        if (self.shape == "exponential") != (self.k is not None):
            raise ValueError("key 'k' belongs to shape 'exponential', and only there")
        return self


class Units(_Part):
    length: Literal["m"]
    time: Literal["day"]


class Case(_Part):
    """A case file, as written; lengths in metres."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    depth: float = Field(gt=0)
    layers: list[LayerSpec] = Field(min_length=1)
    Ss: float = Field(default=0.0, ge=0)
    initial: Annotated[UniformHead | Hydrostatic | SteadyFlux, Field(discriminator="type")]
    top: Annotated[TopHead | TopFlux | TopAtmosphere, Field(discriminator="type")]
    bottom: Annotated[BottomHead | BottomFlux | BottomOpen, Field(discriminator="type")]
    roots: RootSpec | None = None
    forcing_file: str | None = None
    output_times: list[float] = Field(min_length=1)
    profile_times: list[float] = Field(min_length=1)
    initial_storage: float | None = None
    source: str = ""
    units: Units = Units(length="m", time="day")
    truth: dict | None = None

    @model_validator(mode="after")
    def _consistent(self):
        _check_layers(self.layers, self.depth)
        _check_times("output_times", self.output_times)
        _check_times("profile_times", self.profile_times)
        if self.initial.type == "steady_flux":
            alphas = {getattr(layer.soil, "alpha", None) for layer in self.layers}
            kinds = {layer.soil.model for layer in self.layers}
            if kinds != {"gardner"} or len(alphas) != 1:
                raise ValueError("initial 'steady_flux' needs gardner soils that share one alpha")
        return self


def _check_layers(layers: list[LayerSpec], depth: float) -> None:
    edge = 0.0
    for number, layer in enumerate(layers):
        if not math.isclose(layer.top, edge, abs_tol=1e-9):
            raise ValueError(
                f"layers.{number}.top is {layer.top}, but the layer above ends at {edge}; "
                "list layers from the surface down, without gaps"
            )
        if layer.bottom <= layer.top:
            raise ValueError(f"layers.{number}: bottom {layer.bottom} is not below top {layer.top}")
        edge = layer.bottom
    if not math.isclose(edge, depth, rel_tol=1e-9):
        raise ValueError(f"the last layer ends at {edge}, but depth is {depth}")


def _check_times(name: str, times: list[float]) -> None:
    for before, time in itertools.pairwise([0.0, *times]):
        if time <= before:
            came = f"{time} after {before}" if time != times[0] else f"{time} first"
            raise ValueError(f"{name} must be positive and increase strictly, got {came}")

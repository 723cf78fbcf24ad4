"""Richards cases in JSON: read, checked, and turned from metres into millimetres.

The format describes a column, its layers, what acts at both ends, roots, and when to report.
This is a border: names here carry the file's words and units.
"""

import itertools
import math
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MM_PER_M = 1000.0


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class VanGenuchtenSpec(_Part):
    model: Literal["van_genuchten"]
    theta_r: float
    theta_s: float
    alpha: float
    n: float
    Ks: float
    l: float = 0.5  # noqa: E741 - the format's own name


class BrooksCoreySpec(_Part):
    model: Literal["brooks_corey"]
    theta_r: float
    theta_s: float
    h_b: float
    lambda_: float = Field(alias="lambda")
    Ks: float
    l: float = 0.5  # noqa: E741


class HaverkampSpec(_Part):
    model: Literal["haverkamp"]
    theta_r: float
    theta_s: float
    h_theta: float
    beta: float
    h_K: float
    gamma: float
    Ks: float


class GardnerSpec(_Part):
    model: Literal["gardner"]
    theta_r: float
    theta_s: float
    alpha: float
    Ks: float


class BroadbridgeWhiteSpec(_Part):
    model: Literal["broadbridge_white"]
    theta_r: float
    theta_s: float
    lambda_s: float
    C: float
    Ks: float


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
    if times[0] <= 0 or any(b <= a for a, b in itertools.pairwise(times)):
        raise ValueError(f"{name} must be positive and increase strictly")

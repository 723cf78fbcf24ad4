"""The YAML file of `diffhydro sensitivity`; what a key means stands beside it."""

from typing import Literal, get_args

from pydantic import Field, model_validator

from diffhydro.app.config import DataConfig, Date, Number, ObservedConfig, Part

Method = Literal["elasticities", "adjoint", "morris", "sobol", "dgsm"]
# Shares come before bounds, whose picture shows both.
METHODS: tuple[Method, ...] = get_args(Method)


class SensitivityConfig(Part):
    """A study of sensitivity at one site."""

    task: Literal["sensitivity"] = Field(
        "sensitivity", description="the command, for `diffhydro run`"
    )
    model: Literal["wbm", "hbv", "column"] = Field(description="water balance, buckets, Richards")
    data: DataConfig
    site: str | None = Field(None, description="name of the site; the first by default")
    observed: ObservedConfig = Field(description="the series in question")
    vary: list[str] = Field(min_length=1, description="paths and patterns of parameters")
    within: dict[str, tuple[float, float]] = Field(
        default_factory=dict, description="narrower bounds, by path"
    )
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="values, or names of attributes, by path"
    )
    period: tuple[Date, Date] | None = Field(None, description="first and last day; all by default")
    when: Date | None = Field(None, description="day of `adjoint`; the last by default")
    methods: list[Method] = Field(list(METHODS), min_length=1, description="what is done")
    points: int = Field(256, ge=16, description="of `dgsm` and `sobol`, a power of two")
    trajectories: int = Field(20, ge=2, description="of `morris`")
    seed: int = Field(0, ge=0, description="of all samples")
    dtype: Literal["float32", "float64"] = Field("float32", description="floating-point type")

    @model_validator(mode="after")
    def _is_sound(self):
        if self.points & (self.points - 1):
            raise ValueError(f"points is {self.points}; Sobol's sequence takes a power of two")
        if self.period and self.period[0] >= self.period[1]:
            raise ValueError(f"period ends on {self.period[1]}, not after it begins")
        return self

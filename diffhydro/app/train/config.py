"""The YAML file of `diffhydro train` and `tune`; what a key means stands beside it."""

from typing import Literal

from pydantic import Field, model_validator

from diffhydro.app.config import DataConfig, Date, Number, Part, defaults_of

Coupling = Literal[
    "static", "dynamic", "closure", "correction", "coupled", "fed", "network", "past"
]
WITH_PHYSICS = ("static", "dynamic", "closure", "correction", "coupled", "fed")
LEARNING = ("static", "dynamic")
WINDOWED = ("coupled", "fed", "past")
WEATHER = ["precipitation", "temperature", "shortwave", "vapour_pressure", "leaf_area"]


class HeadConfig(Part):
    """The network."""

    kind: Literal["lstm", "mlp"] = Field(
        "lstm", description="`static` and `closure` take an `mlp`, the windowed ones an `lstm`"
    )
    hidden: int = Field(32, ge=1, description="width of the memory, or of each layer")
    layers: int = Field(2, ge=1, le=8, description="hidden layers of an `mlp`")
    dropout: float = Field(0.0, ge=0, lt=1, description="share left out while training")
    start: float = Field(
        0.1, gt=0, description="size of the first outputs; small begins at physics"
    )


class ModelConfig(Part):
    """What is trained."""

    coupling: Coupling = Field(
        description="`static`, `dynamic`: parameters; `closure`: fluxes; `correction`: of what a "
        "probe sees; `coupled`, `fed`: study A's two branches; `network`, `past`: no physics"
    )
    physics: Literal["wbm", "hbv", "column"] = Field(
        "wbm", description="water balance, buckets, Richards; not read without physics"
    )
    learns: list[str] = Field(
        default_factory=list, description="of `static` and `dynamic`: paths in the physics"
    )
    reach: float | None = Field(3.0, gt=0, description="of `dynamic`: most that a parameter moves")
    lags: int = Field(30, ge=1, description="of `coupled`, `fed`, `past`: days of the window")
    series: list[str] = Field(list(WEATHER), description="that the head reads")
    attributes: list[str] = Field(default_factory=list, description="that the head reads")
    head: HeadConfig = Field(default_factory=defaults_of(HeadConfig))
    parameters: dict[str, Number] = Field(
        default_factory=dict, description="values, or names of attributes, by path in the physics"
    )

    @model_validator(mode="after")
    def _is_sound(self):
        if self.coupling in LEARNING and not self.learns:
            raise ValueError(
                f"{self.coupling} learns nothing; name parameters, such as upland.soil.k_sat"
            )
        if self.coupling not in LEARNING and self.learns:
            raise ValueError(f"learns is of {' and '.join(LEARNING)}, not of {self.coupling}")
        if self.coupling == "static" and not self.attributes:
            raise ValueError("static reads attributes, and none is named")
        if self.coupling in ("static", "closure") and self.head.kind != "mlp":
            raise ValueError(f"the head of {self.coupling} is an mlp: it has no time to remember")
        if self.coupling in WINDOWED and self.head.kind != "lstm":
            raise ValueError(f"the head of {self.coupling} reads a window: make it an lstm")
        return self


class WindowConfig(Part):
    """How records are cut into windows, days."""

    length: int = Field(365, ge=2, description="with the warm-up")
    warm_up: int = Field(90, ge=0, description="days at the beginning that are not scored")
    stride: int | None = Field(None, ge=1, description="from one window to the next")
    batch: int = Field(32, ge=1, description="windows at a time")

    @model_validator(mode="after")
    def _has_something_to_score(self):
        if self.warm_up >= self.length:
            raise ValueError(f"a warm-up of {self.warm_up} days leaves nothing of {self.length}")
        return self


class HoldOutConfig(Part):
    """What is not trained on. Every fold is trained, all as one program."""

    by: Literal["nothing", "site", "sites", "continent", "region", "period"] = Field(
        "sites", description="`site`: one after the other; `sites`: random parts"
    )
    folds: int = Field(5, ge=2, description="of `sites`")
    only: list[str] | None = Field(None, description="names of the folds to train; all by default")
    regions: str | None = Field(None, description="of `region`: attribute that names regions")
    train_days: tuple[Date, Date] | None = Field(None, description="first and last; of any `by`")
    test_days: tuple[Date, Date] | None = Field(None, description="first and last; of any `by`")
    buffer: float = Field(0.0, ge=0, description="km round a test site that is left out")
    validation: float = Field(
        0.15, ge=0, lt=1, description="share of the training sites set aside to stop by; 0 for none"
    )
    seed: int = Field(0, ge=0, description="of random parts")

    @model_validator(mode="after")
    def _is_sound(self):
        if (self.train_days is None) != (self.test_days is None):
            raise ValueError("give train_days and test_days, or neither")
        if self.by == "period" and self.train_days is None:
            raise ValueError("by period takes train_days and test_days")
        if (self.by == "region") != (self.regions is not None):
            raise ValueError("`regions` names the attribute of `by: region`")
        return self


class ScheduleConfig(Part):
    """A weight that changes while training."""

    begin: float = Field(ge=0, le=1, description="at the first step")
    end: float = Field(ge=0, le=1, description="after the last")
    steps: int = Field(ge=1, description="from one to the other")
    shape: Literal["linear", "cosine"] = Field("linear", description="of the way")


class TermConfig(Part):
    """One term of the objective."""

    loss: Literal["mse", "rmse", "mae", "nse", "kge", "huber"] = Field(
        "mse", description="`nse` and `kge` are means over windows, the others over all days"
    )
    weight: float | ScheduleConfig = Field(1.0, description="a number, or a schedule")


class TrainingConfig(Part):
    """How it is trained."""

    epochs: int = Field(50, ge=1, description="at most")
    rate: float = Field(3e-3, gt=0, description="learning rate of the network")
    physics_rate: float = Field(0.0, ge=0, description="of parameters that no head learns; 0: none")
    decay: Literal["constant", "cosine"] = Field("cosine", description="of both rates")
    clip: float | None = Field(1.0, gt=0, description="largest norm of a gradient")
    accumulate: int = Field(1, ge=1, description="batches to a step")
    average: float | None = Field(None, ge=0, lt=1, description="of weights over steps (EMA)")
    patience: int | None = Field(10, ge=1, description="scores without a gain; none: all epochs")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="of the network")
    seeds: int = Field(1, ge=1, description="networks of each fold")
    seed: int = Field(0, ge=0, description="the first of them")


class BetweenConfig(Part):
    """What a search chooses from: numbers between limits, or a list."""

    between: tuple[float, float] | None = Field(None, description="limits")
    whole: tuple[int, int] | None = Field(None, description="limits of a whole number")
    one_of: list[str | float | int | bool | None] | None = Field(None, description="choices")
    log: bool = Field(False, description="whether factors count, not differences")

    @model_validator(mode="after")
    def _is_one(self):
        given = [n for n in ("between", "whole", "one_of") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError("give one of between, whole and one_of")
        return self


class TuneConfig(Part):
    """What `diffhydro tune` looks for."""

    settings: dict[str, BetweenConfig] = Field(min_length=1, description="by path of the key")
    trials: int = Field(20, ge=1, description="in all")
    least_epochs: int | None = Field(
        None, ge=1, description="that every trial gets; with it bad ones are given up (Hyperband)"
    )
    seed: int = Field(0, ge=0, description="of the search")


class TrainConfig(Part):
    """A training."""

    task: Literal["train"] = Field("train", description="the command, for `diffhydro run`")
    model: ModelConfig
    data: DataConfig
    depth: float = Field(50.0, gt=0, description="of the probe, mm")
    windows: WindowConfig = Field(default_factory=defaults_of(WindowConfig))
    hold_out: HoldOutConfig = Field(default_factory=defaults_of(HoldOutConfig))
    objective: dict[str, TermConfig] = Field(
        default_factory=lambda: {"moisture": TermConfig.model_validate({})},
        min_length=1,
        description="terms by name; their weighted sum is made small",
    )
    training: TrainingConfig = Field(default_factory=defaults_of(TrainingConfig))
    tune: TuneConfig | None = None

    @model_validator(mode="after")
    def _fits(self):
        if self.model.coupling in WINDOWED and self.windows.warm_up < self.model.lags:
            raise ValueError(
                f"a warm-up of {self.windows.warm_up} days is shorter than the window of "
                f"{self.model.lags} that the model looks back; make windows.warm_up at least that"
            )
        if self.training.patience is not None and self.hold_out.validation == 0:
            raise ValueError(
                "patience needs a validation to stop by: give hold_out.validation a share, or "
                "training.patience null"
            )
        return self

"""The settings of study A at real stations; a preset holds them under `stations`."""

from pydantic import BaseModel, ConfigDict, Field


class Part(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Start(Part):
    """The start window."""

    days: int = Field(30, ge=5, description="length")
    least: int = Field(20, ge=1, description="days with a value that it needs")
    draws: int = Field(300, ge=1, description="windows of each training site to learn from")


class Physics(Part):
    """The water balance and its calibration: one set of parameters for all training sites."""

    sub_steps: int = Field(6, ge=1, description="of a day, in the six layers")
    length: int = Field(545, ge=60, description="days of a window, with its warm-up")
    warm_up: int = Field(180, ge=0, description="days before anything is compared")
    size: int = Field(24, ge=1, description="windows of a batch")
    steps: int = Field(40, ge=1, description="steps of Adam")
    rate: float = Field(0.1, gt=0, description="of learning, in free numbers")


class Network(Part):
    """A network, and how it is trained."""

    hidden: int = Field(32, ge=1, description="width")
    dropout: float = Field(0.1, ge=0, lt=1, description="share left out in training")
    length: int = Field(365, ge=2, description="days of a window, with its warm-up")
    warm_up: int = Field(0, ge=0, description="days before anything is compared")
    size: int = Field(16, ge=1, description="windows of a batch")
    steps: int = Field(400, ge=1, description="steps of Adam")
    rate: float = Field(5e-3, gt=0, description="of learning, at its highest")
    decay: float = Field(1e-3, ge=0, description="of weights")


class Settings(Part):
    """A run at real stations."""

    spin_up: int = Field(365, ge=0, description="first days that are run once more before the rest")
    folds: int | None = Field(None, ge=2, description="groups of sites; every site alone if null")
    trees: int = Field(300, ge=1, description="of the boosted trees, the yardstick")
    start: Start = Start()
    physics: Physics = Physics()
    deep: Network = Network(dropout=0.2, length=545, warm_up=180, steps=300)
    fed: Network = Network()
    control: Network | None = Field(None, description="fed without water, mixed with DL")
    coupled: Network | None = Field(None, description="left out if null, as the next")
    conserving: Network | None = Field(None, description="parameters by a head, and no more")

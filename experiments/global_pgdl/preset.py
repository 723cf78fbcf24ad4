"""The settings of study A: what a run needs to know, read from YAML and checked key by key."""

from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from diffhydro.app.config_reading import checked, read_yaml, with_key
from diffhydro.errors import InputError
from experiments.global_pgdl.real.settings import Settings

_HERE = Path(__file__).resolve()
# Beside the package in a checkout, within it where it is installed.
FOLDER = next(
    folder / "configs"
    for folder in (_HERE.parents[1], _HERE.parents[2])
    if (folder / "configs").is_dir() or folder == _HERE.parents[2]
)
PRESETS = {
    name: FOLDER / f"global_pgdl-{name}.yaml" for name in ("tiny", "small", "study", "stations")
}


class Part(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Screening(Part):
    """Which sites are good enough; days in frozen soil are no gaps."""

    most_missing: float = Field(36.4, ge=0, description="days a year without a value")
    longest_gap: float = Field(30.0, ge=0, description="days in a row")
    least_days: int = Field(365, ge=30, description="days with a value that a site needs")


class Clustering(Part):
    """How regions are found and thinned."""

    counts: tuple[int, int] = Field((2, 20), description="fewest and most clusters that are tried")
    votes: int = Field(300, ge=1, description="starts that vote for a number of clusters")
    starts: int = Field(1000, ge=1, description="starts among which the best is chosen")
    least_sites: int = Field(10, ge=3, description="sites that every cluster needs")
    most_sites: int = Field(40, ge=3, description="sites to which a cluster is thinned")
    tested: int | None = Field(None, ge=1, description="clusters with most sites; all if not given")
    workers: int = Field(1, ge=1, description="processes")


class Physics(Part):
    """The water-balance model and its calibration."""

    sub_steps: int = Field(24, ge=1, description="of a day, in the six layers")
    warm_up: int = Field(90, ge=0, description="days of a window before anything is compared")
    length: int = Field(365, ge=30, description="days of a window, with its warm-up")
    size: int = Field(8, ge=1, description="windows of a batch")
    steps: int = Field(100, ge=1, description="steps of Adam")
    rate: float = Field(0.1, gt=0, description="of learning, in free numbers")


class Network(Part):
    """DL and the two-branch network, trained one day ahead."""

    look_back: int = Field(14, ge=1, description="days k of the window")
    hidden: int = Field(16, ge=1, description="width of the LSTM")
    widths: tuple[int, ...] = Field((16,), description="of the fully connected branch")
    dropout: float = Field(0.5, ge=0, lt=1, description="share left out in training")
    length: int = Field(78, ge=2, description="days of a stretch, the window included")
    size: int = Field(2, ge=1, description="stretches of a batch")
    steps: int = Field(300, ge=1, description="steps of Adam")
    rate: float = Field(3e-3, gt=0, description="of learning")
    decay: float = Field(0.0, ge=0, description="of weights")
    error: float = Field(0.1, ge=0, description="by which the past is moved in training, m³/m³")


class Coupling(Part):
    """Physics and network in one graph: a few steps from where both were."""

    length: int = Field(180, ge=30, description="days of a window, with its warm-up")
    warm_up: int = Field(60, ge=1, description="days before anything is compared")
    size: int = Field(2, ge=1, description="windows of a batch")
    steps: int = Field(40, ge=1, description="steps of Adam")
    rate: float = Field(5e-4, gt=0, description="of the network")
    physics_rate: float = Field(0.005, gt=0, description="of the physics, in free numbers")
    drying: float = Field(0.0, ge=0, description="weight of rises in dry spells")
    trace: float = Field(0.0, ge=0, description="inflow that is as good as none, mm/day")


class Conserving(Part):
    """A network that moves parameters and never the water."""

    widths: tuple[int, ...] = Field((16,), description="of the network that reads the place")
    length: int = Field(365, ge=30, description="days of a window, with its warm-up")
    warm_up: int = Field(90, ge=0, description="days before anything is compared")
    size: int = Field(4, ge=1, description="windows of a batch")
    steps: int = Field(60, ge=1, description="steps of Adam")
    rate: float = Field(1e-2, gt=0, description="of learning")
    decay: float = Field(1e-2, ge=0, description="of weights")


class Tuning(Part):
    """Settings of DL and of PGDL fed, searched at sites that are never tested: lowest and highest.

    A stretch grows by the days that its window does, so that all trials learn from as many.
    """

    trials: int = Field(20, ge=1, description="of each of the two")
    seed: int = Field(0, ge=0, description="of what is tried, the sites set apart, the trials")
    rate: tuple[PositiveFloat, PositiveFloat] = Field((1e-3, 1e-2), description="of learning")
    look_back: tuple[PositiveInt, PositiveInt] = Field((7, 30), description="days k of the window")
    hidden: tuple[PositiveInt, PositiveInt] = Field((8, 64), description="width of the LSTM")
    widths: tuple[PositiveInt, PositiveInt] = Field(
        (8, 64), description="of the one layer of the fully connected branch; not of DL"
    )
    least: int = Field(3, ge=1, description="sites thinned away that can decide for a region")
    share: float = Field(
        0.2, gt=0, lt=1, description="of a region's sites, set apart where fewer were thinned away"
    )

    @field_validator("rate", "look_back", "hidden", "widths")
    @classmethod
    def _is_range(cls, found: tuple[float, float]) -> tuple[float, float]:
        if not found[0] < found[1]:
            raise ValueError(f"{found[0]} and {found[1]} leave no choice; give the lower one first")
        return found


class Preset(Part):
    """A run of study A."""

    name: str
    world: str = Field(description="preset of the virtual Earth")
    world_seed: int = Field(0, ge=0, description="of the virtual Earth")
    first: str = Field(description="first day that counts; what comes before is spin-up")
    last: str = Field(description="last day")
    depth: float = Field(50.0, gt=0, description="of the probes, mm")
    cell: float = Field(0.5, gt=0, description="of the weather that sites share, degrees")
    seeds: tuple[int, ...] = Field(
        (0,), min_length=1, description="one model of each kind for each"
    )
    screening: Screening = Screening()
    clustering: Clustering = Clustering()
    physics: Physics = Physics()
    network: Network = Network()
    coupling: Coupling = Coupling()
    conserving: Conserving = Conserving()
    mixed: int = Field(0, ge=0, description="sites of a region tested with mixed training sites")
    globe: bool = Field(True, description="predict every cell")
    stations: Settings | None = Field(
        None, description="a run at the real stations of a file; none on a virtual Earth"
    )
    # Runs know their files by the preset as text: these two are told apart from it.
    network_fed: Network | None = Field(
        None, repr=False, description="the two-branch network, where it is not as network says"
    )
    tuning: Tuning | None = Field(
        None, repr=False, description="a search for settings of both networks; none if not given"
    )

    @model_validator(mode="after")
    def _can_be_tuned(self) -> "Preset":
        if self.tuning is None:
            return self
        if self.stations is not None:
            raise ValueError("tuning is for regions; a run at stations has none")
        longest = self.tuning.look_back[1]
        if longest > self.coupling.warm_up:
            raise ValueError(
                f"tuning.look_back goes up to {longest} days, and coupling.warm_up has "
                f"{self.coupling.warm_up}; a window has to fit into it"
            )
        return self

    @property
    def guided(self) -> Network:
        """Give the settings of the two-branch network."""
        return self.network if self.network_fed is None else self.network_fed

    @property
    def look_back(self) -> int:
        """Give the days of the start window: as many as the network that looks back longest."""
        return max(self.network.look_back, self.guided.look_back)


def read_preset(named: str | Path, overrides: Mapping[str, Any] | None = None) -> Preset:
    """Read a preset by its name, or a YAML file, and change some of its settings.

    Args:
        overrides: By dotted path, such as `{"network.steps": 800}`.
    """
    path = PRESETS.get(str(named), Path(named))
    if not path.is_file():
        near = get_close_matches(str(named), PRESETS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        known = ", ".join(name for name, file in PRESETS.items() if file.is_file())
        raise InputError(
            f"there is no preset {named}: expected {known}, or a YAML file like those in configs/"
            f"{hint}"
        )
    found = read_yaml(path)
    found.setdefault("name", path.stem.removeprefix("global_pgdl-"))
    for key, value in (overrides or {}).items():
        found = with_key(found, key.split("."), value)
    return checked(Preset, found, str(path))

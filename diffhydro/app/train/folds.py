"""What is held out: folds of sites, of times, or of both."""

from diffhydro.app.train.config import HoldOutConfig
from diffhydro.app.train.table import Table
from diffhydro.data.places import Places
from diffhydro.data.splits import (
    AbstractSplit,
    ByContinent,
    ByPeriod,
    ByRegion,
    Fold,
    KFoldBySite,
    LeaveOneSiteOut,
    Part,
    SpaceByTime,
    WithValidation,
)
from diffhydro.errors import InputError

ALL = "all"  # what a fold is called from which nothing is held out


def folds_of(config: HoldOutConfig, table: Table) -> list[Fold]:
    """Give the folds that are trained, each with sites to stop by where a share is asked for."""
    if config.by == "nothing":
        return [_everything(config, table)]
    split = _split(config, table)
    if config.validation > 0:
        split = WithValidation(split, config.validation, config.seed)
    found = list(split.of(Places.of(table.data)))
    if config.only is None:
        return found
    names = [fold.name for fold in found]
    unknown = [name for name in config.only if name not in names]
    if unknown:
        raise InputError(
            f"hold_out.only: there is no fold {unknown[0]!r}; the folds are {', '.join(names)}"
        )
    return [fold for fold in found if fold.name in config.only]


def _split(config: HoldOutConfig, table: Table) -> AbstractSplit:
    time = None
    if config.train_days is not None and config.test_days is not None:
        train, test = (tuple(map(str, days)) for days in (config.train_days, config.test_days))
        time = ByPeriod((train[0], train[1]), (test[0], test[1]))
    if config.by == "period":
        assert time is not None
        return time
    space = _by_place(config, table)
    return space if time is None else SpaceByTime(space, time)


def _by_place(config: HoldOutConfig, table: Table) -> AbstractSplit:
    if config.by == "site":
        return LeaveOneSiteOut(config.buffer)
    if config.by == "sites":
        return KFoldBySite(config.folds, config.buffer, config.seed)
    if config.by == "continent":
        return ByContinent(config.buffer)
    name = config.regions
    if name is None or name not in table.data:
        raise InputError(f"hold_out.regions: the sites have no attribute {name}")
    return ByRegion(table.data[name].values.tolist(), config.buffer)


def stops_by(fold: Fold) -> Part | None:
    """Give what a fold's training stops by; where nothing is held out, what is set aside."""
    return fold.test if fold.name == ALL else fold.validation


def _everything(config: HoldOutConfig, table: Table) -> Fold:
    """Learn from all sites but those to stop by, which are also what is scored."""
    if config.validation == 0:
        raise InputError(
            "hold_out.by nothing with hold_out.validation 0 leaves nothing to score; give "
            "hold_out.validation a share of the sites"
        )
    places = Places.of(table.data)
    number = max(2, min(round(1.0 / config.validation), len(places)))
    fold = next(iter(KFoldBySite(number, config.buffer, config.seed).of(places)))
    return Fold(ALL, fold.train, fold.test)

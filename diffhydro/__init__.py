"""Differentiable hydrology: the table of contents.

`import diffhydro as dh` costs a few milliseconds and does not import jax. A name is fetched from
its module the first time it is asked for. What the names look like to a type checker is in
`__init__.pyi`, and a test holds the two together.
"""

from importlib import import_module

from diffhydro._version import __version__

_CONTENTS = {
    "diffhydro.core.parameters": ("parameter", "weights", "specs"),
    "diffhydro.core.trainable": ("split", "merge", "Free"),
    "diffhydro.core.grids": ("Column",),
    "diffhydro.core.ensembles": ("ensemble", "member"),
    "diffhydro.core.model_file": ("load", "save"),
    "diffhydro.soil.hydraulics": (
        "VanGenuchten",
        "BrooksCorey",
        "ClappHornberger",
        "Gardner",
        "Haverkamp",
        "BroadbridgeWhite",
    ),
    "diffhydro.land.forcing": ("Forcing",),
    "diffhydro.land.model": ("AbstractModel", "Trajectory"),
    "diffhydro.land.soil_column": ("SoilColumn",),
    "diffhydro.land.land": ("Land",),
    "diffhydro.land.surface": ("Surface",),
    "diffhydro.land.upland": ("Upland",),
    "diffhydro.land.wetland": ("Wetland",),
    "diffhydro.land.water_balance": ("WaterBalance",),
    "diffhydro.land.hbv": ("Hbv",),
    "diffhydro.land.observe": ("probe", "skin", "layer_mean", "root_zone"),
    "diffhydro.land.budget": ("budget",),
    "diffhydro.data.sites": ("Sites", "open_sites"),
    "diffhydro.data.scaling": ("Scaler",),
    "diffhydro.data.regions": ("Regions", "cluster"),
    "diffhydro.data.splits": ("LeaveOneSiteOut", "KFoldBySite", "ByRegion", "ByContinent"),
    "diffhydro.networks": ("FlaxHead",),
    "diffhydro.coupling": (
        "Inputs",
        "Features",
        "Observed",
        "StaticParameters",
        "DynamicParameters",
        "TileParameters",
        "FluxClosure",
        "OutputCorrection",
        "PhysicsGuided",
        "Sequence",
    ),
    "diffhydro.training": ("Objective", "Term", "Sample"),
    "diffhydro.training.fit": ("fit", "fit_ensemble", "Optimizer", "Stop", "Validation"),
    "diffhydro.training.checkpoints": ("Checkpoints",),
    "diffhydro.training.losses": ("MeanSquare", "NashSutcliffe", "KlingGupta", "Huber"),
    "diffhydro.training.likelihood": ("Gaussian",),
    "diffhydro.calibration": (
        "Calibration",
        "Target",
        "Fitted",
        "calibrate",
        "calibrate_together",
        "minimise",
        "LevenbergMarquardt",
        "Lbfgs",
        "Adam",
        "Near",
        "Uniform",
    ),
    "diffhydro.evaluation.sensitivity": (
        "Study",
        "elasticities",
        "adjoint",
        "dgsm",
        "morris",
        "sobol",
    ),
    "diffhydro.app.cache": ("enable_compilation_cache",),
    "diffhydro.app.vectors": ("use_wide_vectors",),
    "diffhydro.errors": ("InputError",),
}
_HOME = {name: module for module, names in _CONTENTS.items() for name in names}
_ROOMS = (
    "core",
    "soil",
    "land",
    "networks",
    "coupling",
    "data",
    "training",
    "calibration",
    "evaluation",
)

__all__ = ["__version__", *_HOME, *_ROOMS]  # noqa: PLE0604  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name in _ROOMS:
        return import_module(f"diffhydro.{name}")
    if name not in _HOME:
        raise AttributeError(_unknown(name))
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _unknown(name: str) -> str:
    from difflib import get_close_matches

    message = f"module 'diffhydro' has no attribute {name!r}"
    nearest = get_close_matches(name, __all__, n=1)
    return f"{message}; did you mean {nearest[0]!r}?" if nearest else message

"""Train, attack, audit and explain image classifiers, with figures that can be defended.

Importing this package does no work: each public name is fetched when it is first used. Not even `typing` is imported,
which would take as long as Python needs to start.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

    __version__: str
    from pellucid import attacks as attacks
    from pellucid import data as data
    from pellucid import errors as errors
    from pellucid import evaluate as evaluate
    from pellucid import explainers as explainers
    from pellucid import models as models
    from pellucid import objectives as objectives
    from pellucid import processes as processes
    from pellucid import runs as runs
    from pellucid import train as train
    from pellucid.batch import Batch as Batch
    from pellucid.evaluate import Record as Record
    from pellucid.evaluate import measure as measure
    from pellucid.explainers import Gradient as Gradient
    from pellucid.explainers import SmoothGrad as SmoothGrad
    from pellucid.metrics import Estimate as Estimate
    from pellucid.norms import L0 as L0
    from pellucid.norms import L1 as L1
    from pellucid.norms import L2 as L2
    from pellucid.norms import RMS as RMS
    from pellucid.norms import Linf as Linf
    from pellucid.objectives import Adaptive as Adaptive
    from pellucid.objectives import Align as Align
    from pellucid.objectives import Attacked as Attacked
    from pellucid.objectives import CrossEntropy as CrossEntropy
    from pellucid.objectives import Divergence as Divergence
    from pellucid.objectives import FeatureMatch as FeatureMatch
    from pellucid.objectives import GradientNorm as GradientNorm
    from pellucid.objectives import HessianNorm as HessianNorm
    from pellucid.objectives import JacobianNorm as JacobianNorm
    from pellucid.objectives import Lipschitz as Lipschitz
    from pellucid.objectives import LocalCosine as LocalCosine
    from pellucid.objectives import LocalDistance as LocalDistance
    from pellucid.objectives import Objective as Objective
    from pellucid.objectives import Ramp as Ramp
    from pellucid.objectives import Term as Term
    from pellucid.probe import Probe as Probe
    from pellucid.probe import frozen as frozen
    from pellucid.train import Epoch as Epoch
    from pellucid.train import Recipe as Recipe
    from pellucid.train import accuracy as accuracy
    from pellucid.train import fit as fit

_PACKAGES = (
    "attacks",
    "data",
    "errors",
    "evaluate",
    "explainers",
    "models",
    "objectives",
    "processes",
    "runs",
    "train",
)
_NAMES = {
    "Batch": "batch",
    "Record": "evaluate",
    "measure": "evaluate",
    "Gradient": "explainers",
    "SmoothGrad": "explainers",
    "Estimate": "metrics",
    "L0": "norms",
    "L1": "norms",
    "L2": "norms",
    "RMS": "norms",
    "Linf": "norms",
    "Adaptive": "objectives",
    "Align": "objectives",
    "Attacked": "objectives",
    "CrossEntropy": "objectives",
    "Divergence": "objectives",
    "FeatureMatch": "objectives",
    "GradientNorm": "objectives",
    "HessianNorm": "objectives",
    "JacobianNorm": "objectives",
    "Lipschitz": "objectives",
    "LocalCosine": "objectives",
    "LocalDistance": "objectives",
    "Objective": "objectives",
    "Ramp": "objectives",
    "Term": "objectives",
    "Probe": "probe",
    "frozen": "probe",
    "Epoch": "train",
    "Recipe": "train",
    "accuracy": "train",
    "fit": "train",
}


def __getattr__(name: str) -> "typing.Any":
    import importlib

    if name in _PACKAGES:
        return importlib.import_module(f"pellucid.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"pellucid.{_NAMES[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pellucid")
    raise AttributeError(f"module 'pellucid' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*_PACKAGES, *_NAMES, "__version__"])

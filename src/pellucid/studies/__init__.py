"""Studies: networks trained side by side, what is measured of them, and what papers claim about that."""

import lazy_loader

from pellucid.registry import Registry

STUDIES = Registry(
    "study",
    {
        "noack2021-mnist": "pellucid.studies.published.noack2021:NOACK2021_MNIST",
    },
)

COLUMNS = Registry(
    "column",
    {
        "accuracy": "pellucid.studies.columns.accuracy:Accuracy",
        "robust-accuracy": "pellucid.studies.columns.robust_accuracy:RobustAccuracy",
        "area": "pellucid.studies.columns.area:Area",
        "judged": "pellucid.studies.columns.judged:Judged",
        "cost": "pellucid.studies.columns.cost:Cost",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

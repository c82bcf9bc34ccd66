"""Studies: networks trained side by side, what is measured of them, and what papers claim about that."""

import lazy_loader

from pellucid.registry import Registry

STUDIES = Registry(
    "study",
    {
        "noack2021-mnist": "pellucid.studies.published.noack2021:NOACK2021_MNIST",
        "noack2021-digits": "pellucid.studies.published.noack2021:NOACK2021_DIGITS",
        "woods2019-digits": "pellucid.studies.published.woods2019:WOODS2019_DIGITS",
        "joo2023-digits": "pellucid.studies.published.joo2023:JOO2023_DIGITS",
        "dong2019-digits": "pellucid.studies.published.dong2019:DONG2019_DIGITS",
        "ir-revisited-digits": "pellucid.studies.published.ir_revisited:IR_REVISITED_DIGITS",
        "ahern2019-digits": "pellucid.studies.published.ahern2019:AHERN2019_DIGITS",
    },
)

COLUMNS = Registry(
    "column",
    {
        "accuracy": "pellucid.studies.columns.accuracy:Accuracy",
        "robust-accuracy": "pellucid.studies.columns.robust_accuracy:RobustAccuracy",
        "area": "pellucid.studies.columns.area:Area",
        "judged": "pellucid.studies.columns.judged:Judged",
        "neurons": "pellucid.studies.columns.neurons:Neurons",
        "retrained": "pellucid.studies.columns.retrained:Retrained",
        "cost": "pellucid.studies.columns.cost:Cost",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

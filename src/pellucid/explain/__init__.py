"""Explainers: maps of which pixels a network's answer hangs on."""

from pellucid.explain.explainer import Explainer as Explainer
from pellucid.explain.explainer import Explanation as Explanation
from pellucid.explain.gradient import Gradient as Gradient
from pellucid.explain.named import named as named
from pellucid.explain.smooth import Smooth as Smooth
from pellucid.explain.smooth_grad import SmoothGrad as SmoothGrad
from pellucid.registry import Registry

EXPLAINERS: Registry[type[Explainer]] = Registry(
    "explainer",
    {
        "gradient": Gradient,
        "smooth": Smooth,
        "smoothgrad": SmoothGrad,
    },
)

"""Every listed explainer, at settings that are quick to run."""

from pellucid.explain import EXPLAINERS, Gradient, Smooth, SmoothGrad
from pellucid.testing import ExplainerConformance

SETTINGS = {
    "gradient": [Gradient()],
    "smooth": [
        Smooth(samples=3),
        Smooth(SmoothGrad(samples=2), samples=2, clean=True, statistic="variance"),
        Smooth(samples=3, clip=True, statistic="mean-square"),
    ],
    "smoothgrad": [
        SmoothGrad(samples=5),
        SmoothGrad(samples=5, clean=False, clip=False),
        SmoothGrad(samples=2, sigma=0.0),
    ],
}


def test_every_explainer_is_tried() -> None:
    assert set(SETTINGS) == set(EXPLAINERS)


def _suites() -> dict[str, type[ExplainerConformance]]:
    return {
        f"Test_{name}_{number}": type(f"Test_{name}_{number}", (ExplainerConformance,), {"explainer": explainer})
        for name, explainers in SETTINGS.items()
        for number, explainer in enumerate(explainers)
    }


globals().update(_suites())

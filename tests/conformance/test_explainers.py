"""Every listed explainer, at settings that are quick to run."""

from pellucid.explain import EXPLAINERS, Gradient, SmoothGrad
from pellucid.testing import ExplainerConformance

SETTINGS = {
    "gradient": [Gradient()],
    "smoothgrad": [
        SmoothGrad(samples=5),
        SmoothGrad(samples=5, chunk=13, clean=False, clip=False),
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

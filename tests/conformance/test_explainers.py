"""Every listed explainer, at settings that are quick to run."""

import math

import torch
from torch import nn

from pellucid.explainers import (
    EXPLAINERS,
    LRP,
    RISE,
    AdversarialExplanation,
    AttentionRelevance,
    AttentionRollout,
    DeconvNet,
    ExpectedGradients,
    Explainer,
    GradCAM,
    GradCAMPlusPlus,
    Gradient,
    GuidedBackprop,
    InputTimesGradient,
    IntegratedGradients,
    LayerActivation,
    NormLime,
    Occlusion,
    Smooth,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
)
from pellucid.explainers.lime import Grid, Lime, Pixels, Slic
from pellucid.models.vit import vit
from pellucid.testing import ExplainerConformance

SETTINGS = {
    "guided-backprop": [GuidedBackprop()],
    "deconvnet": [DeconvNet()],
    "lrp": [
        LRP(epsilon=0.01),
        LRP("epsilon", epsilon=0.01, start="one"),
        LRP("epsilon-gamma-box", epsilon=0.01),
        LRP("epsilon-alpha2-beta1-flat", epsilon=0.01, batch_norm="unchanged"),
    ],
    "lime": [
        Lime(Grid(2, 2), masks=60),
        Lime(Slic(4), masks=30, tolerance=0.2, most=60),
        Lime(Pixels(), masks=190, baseline=0.0, alpha=0.1, output="logit", features=3, antithetic=False),
    ],
    "grad-cam": [GradCAM(), GradCAM(layer="0", positive=False)],
    "grad-cam-plus-plus": [GradCAMPlusPlus(), GradCAMPlusPlus(positive=False)],
    "layer-activation": [LayerActivation()],
    "attention-rollout": [AttentionRollout(), AttentionRollout("max")],
    "attention-relevance": [AttentionRelevance()],
    "occlusion": [Occlusion(window=3, stride=2), Occlusion(window=2, stride=2, baseline="mean")],
    "rise": [RISE(masks=5, cells=3), RISE(masks=4, cells=2, baseline="mean", of_probability=False, centered=True)],
    "adversarial": [AdversarialExplanation(steps=3), AdversarialExplanation(steps=3, clip=True)],
    "input-times-gradient": [InputTimesGradient(), InputTimesGradient("mean")],
    "vargrad": [VarGrad(samples=3)],
    "smoothgrad-squared": [SmoothGradSquared(samples=3)],
    "integrated-gradients": [
        IntegratedGradients(steps=3, baseline=0.3, rule="gauss-legendre"),
        IntegratedGradients(steps=2, baseline="blur", tolerance=1e-3),
        IntegratedGradients(steps=3, tolerance=math.inf, times_input=False),
    ],
    "expected-gradients": [ExpectedGradients(samples=4, background=3)],
    "gradient": [Gradient()],
    "smooth": [
        Smooth(samples=3),
        Smooth(SmoothGrad(samples=2), samples=2, clean=True, statistic="variance"),
        Smooth(samples=3, clip=True, statistic="mean-square"),
        Smooth(ExpectedGradients(samples=2), samples=2),
    ],
    "normlime": [
        NormLime(Lime(Grid(2, 3), masks=40)),
        NormLime(Lime(Grid(2, 2), masks=20), aggregation="mean-abs", by="global", words=3, layer="0"),
    ],
    "smoothgrad": [
        SmoothGrad(samples=5),
        SmoothGrad(samples=5, clean=False, clip=False),
        SmoothGrad(samples=2, sigma=0.0),
    ],
}


def test_every_explainer_is_tried() -> None:
    assert set(SETTINGS) == set(EXPLAINERS)


def test_every_explainer_has_its_file() -> None:
    kin = {"smoothgrad": "smooth", "vargrad": "smooth", "smoothgrad-squared": "smooth"}
    folders = {"lime": "lime.lime", "normlime": "normlime.normlime"}
    for name, explainer in EXPLAINERS.items():
        place = {**kin, **folders}.get(name, name.replace("-", "_"))
        assert explainer.__module__ == f"pellucid.explainers.{place}"


class OnTokens(ExplainerConformance):
    """Of explainers that need a transformer."""

    def network(
        self, *, classes: int = 4, channels: int = 1, size: int = 6, dtype: torch.dtype = torch.float64
    ) -> nn.Module:
        """A small one, smooth as transformers are."""
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            shape, patch = (channels, size, size), 1 if size % 2 else 2
            model = vit(shape=shape, classes=classes, patch=patch, width=6, depth=2)
            for parameter in model.parameters():
                nn.init.normal_(parameter, std=0.5)
        return model.to(dtype).eval()


def _suite(title: str, explainer: Explainer, *, on_tokens: bool) -> type[ExplainerConformance]:
    own = {"explainer": explainer}
    return type(title, (OnTokens,), own) if on_tokens else type(title, (ExplainerConformance,), own)


def _suites() -> dict[str, type[ExplainerConformance]]:
    return {
        f"Test_{name}_{number}": _suite(f"Test_{name}_{number}", explainer, on_tokens=name.startswith("attention"))
        for name, explainers in SETTINGS.items()
        for number, explainer in enumerate(explainers)
    }


globals().update(_suites())

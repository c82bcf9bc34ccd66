"""Every listed term, at settings that are quick to compute."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from networks import images
from pellucid.attacks import GaussianNoise
from pellucid.objectives import (
    TERMS,
    Align,
    Attacked,
    BoostedCrossEntropy,
    CrossEntropy,
    Divergence,
    FeatureMatch,
    GaussianNeighbor,
    GradientMatch,
    GradientNorm,
    HessianNorm,
    JacobianNorm,
    Lipschitz,
    LocalCosine,
    LocalDistance,
    NuclearNorm,
    Term,
    UniformNeighbor,
)
from pellucid.testing import TermConformance

ROOT = 2**0.5
MAPS = {"reference": images(6, 1, 6, 6, seed=1) - 0.5}
# a place that does not follow from the parameters, so that finite differences see the same images
NOISY = Attacked(GaussianNoise(sigma=0.1))


@dataclass(frozen=True)
class Setting:
    """A term and what its suite has to know; see `TermConformance`."""

    term: Term
    columns: Mapping[str, Tensor] = field(default_factory=dict[str, Tensor])
    duplicated: float = 1.0
    constants: bool = False


SETTINGS = {
    "cross-entropy": [Setting(CrossEntropy()), Setting(CrossEntropy(label_smoothing=0.1))],
    "boosted-cross-entropy": [Setting(BoostedCrossEntropy())],
    "divergence": [Setting(Divergence(NOISY)), Setting(Divergence(NOISY, weigh="misclassified"))],
    "feature-match": [
        Setting(FeatureMatch(NOISY, layer="2")),
        Setting(FeatureMatch(NOISY, layer="2", distance="mean-l2")),
        Setting(FeatureMatch(NOISY, layer="2", distance="normalized"), constants=True),
        Setting(FeatureMatch(NOISY, layer="2", distance="cosine")),
        Setting(FeatureMatch(NOISY, layer="2", stop_gradient=True), constants=True),
    ],
    "align": [
        Setting(Align(), MAPS),
        Setting(Align(absolute=True), MAPS),
        Setting(Align("saliency", of="loss"), {"saliency": MAPS["reference"]}),
    ],
    "gradient-match": [
        Setting(GradientMatch(), MAPS),
        Setting(GradientMatch(absolute=False, reduction="mean"), MAPS),
        Setting(GradientMatch(reduction="batch"), MAPS, duplicated=ROOT),
    ],
    "gradient-norm": [
        Setting(GradientNorm()),
        Setting(GradientNorm(of="loss")),
        Setting(GradientNorm(reduction="mean")),
        Setting(GradientNorm(reduction="batch"), duplicated=ROOT),
        Setting(GradientNorm(of="loss", reduction="batch"), duplicated=1 / ROOT),
        Setting(GradientNorm(of="loss", reduction="mean", norm="l1")),
        Setting(GradientNorm(reduction="rms", norm="l1")),
        Setting(GradientNorm(reduction="batch", norm="l1", units="network"), duplicated=2),
        Setting(GradientNorm(of="loss", reduction="batch", norm="l1")),
    ],
    "hessian-norm": [Setting(HessianNorm()), Setting(HessianNorm(probes=2, of="loss"))],
    "jacobian-norm": [
        Setting(JacobianNorm()),
        Setting(JacobianNorm(projections=3, reduction="rms")),
        Setting(JacobianNorm(projections="all")),
        Setting(JacobianNorm(projections="all", reduction="batch"), duplicated=ROOT),
    ],
    "lipschitz": [
        Setting(Lipschitz()),
        Setting(Lipschitz(power=1.5, tandem=0.5, samples=2)),
        Setting(Lipschitz(samples="all")),
    ],
    "local-cosine": [
        Setting(LocalCosine(detach=False)),
        Setting(LocalCosine(GaussianNeighbor(eps=0.1), detach=False, batch_norm="frozen-statistics")),
        Setting(LocalCosine(), constants=True),
    ],
    "local-distance": [
        Setting(LocalDistance(detach=False)),
        Setting(LocalDistance(UniformNeighbor(eps=0.1, clip=True), detach=False)),
        Setting(LocalDistance(), constants=True),
    ],
    # a batch that comes twice has singular values longer by the root of 2, and twice the images
    "nuclear-norm": [Setting(NuclearNorm(NOISY), duplicated=1 / ROOT)],
}


def test_every_term_is_tried() -> None:
    assert set(SETTINGS) == set(TERMS)


def _suites() -> dict[str, type[TermConformance]]:
    return {
        f"Test_{name}_{number}": type(f"Test_{name}_{number}", (TermConformance,), vars(setting))
        for name, settings in SETTINGS.items()
        for number, setting in enumerate(settings)
    }


globals().update(_suites())

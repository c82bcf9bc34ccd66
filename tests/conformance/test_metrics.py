"""Every listed metric, at settings that are quick to run."""

from pellucid.attacks.explanations import Frame, Towards
from pellucid.evaluate.explanations import (
    METRICS,
    ROAD,
    AdversarialInsertion,
    AdversarialSimilarity,
    CascadingRandomization,
    ClassSensitivity,
    Deletion,
    FaithfulnessCorrelation,
    GradientBound,
    ImageAlignment,
    Infidelity,
    Insertion,
    Invalidation,
    LabelRandomization,
    LocalLipschitz,
    MassInMask,
    MaxSensitivity,
    PixelFlipping,
    PointingGame,
    RandomSimilarity,
    RankInMask,
    ReferenceAlignment,
    Sparsity,
    TargetSimilarity,
)
from pellucid.metrics.agreement import SSIM, Cosine, TopK
from pellucid.testing import MetricConformance

SETTINGS = {
    "sparsity": [Sparsity()],
    "random-similarity": [RandomSimilarity(draws=2), RandomSimilarity(draws=2, similarity=SSIM(3), scale="sum")],
    "max-sensitivity": [MaxSensitivity(draws=2)],
    "local-lipschitz": [LocalLipschitz(draws=2, sign="signed", scale="none")],
    "reference-alignment": [ReferenceAlignment(), ReferenceAlignment(similarity=SSIM(3), channels="summed")],
    "image-alignment": [ImageAlignment(), ImageAlignment("projection")],
    "gradient-bound": [GradientBound(draws=2, probes=2)],
    "insertion": [Insertion(3), Insertion(2, fill="noise", of_probability=False), Insertion(compat="official")],
    "cascading-randomization": [
        CascadingRandomization(draws=2),
        CascadingRandomization(
            order="independent", report="mean", stages=1, draws=1, similarity=Cosine(), sign="signed"
        ),
    ],
    "label-randomization": [LabelRandomization("networks:anywhere")],
    "class-sensitivity": [ClassSensitivity(), ClassSensitivity("random", TopK(), "absolute")],
    "pointing-game": [PointingGame(), PointingGame(tolerance=2, sign="positive")],
    "mass-in-mask": [MassInMask(), MassInMask(sign="absolute")],
    "rank-in-mask": [RankInMask()],
    "deletion": [Deletion(3), Deletion(2, fill="blur", of_probability=False)],
    "pixel-flipping": [PixelFlipping(12), PixelFlipping(50, fill="mean", of_probability=False)],
    "infidelity": [Infidelity(4), Infidelity(3, change="square", side=2, scaled=True, of_probability=True)],
    "road": [ROAD((20.0, 90.0)), ROAD((50.0,), noise=0.0)],
    "faithfulness-correlation": [FaithfulnessCorrelation(5), FaithfulnessCorrelation(3, share=0.9, fill="noise")],
    "adversarial-similarity": [AdversarialSimilarity(aim=Frame(1), steps=2, similarity=Cosine())],
    "target-similarity": [TargetSimilarity(steps=2), TargetSimilarity(aim=Towards(), steps=2, keep="label", eps=0.1)],
    "adversarial-insertion": [AdversarialInsertion(steps=2, points=3)],
    "invalidation": [Invalidation((0.01, 0.05), steps=2)],
}


def test_every_metric_is_tried() -> None:
    assert set(SETTINGS) == set(METRICS)


def _suites() -> dict[str, type[MetricConformance]]:
    return {
        f"Test_{name}_{number}": type(f"Test_{name}_{number}", (MetricConformance,), {"metric": metric})
        for name, metrics in SETTINGS.items()
        for number, metric in enumerate(metrics)
    }


globals().update(_suites())

"""Metrics of explanations: whether to believe them."""

import lazy_loader

from pellucid.registry import Registry

METRICS = Registry(
    "metric",
    {
        "sparsity": "pellucid.evaluate.explanations.sparsity:Sparsity",
        "random-similarity": "pellucid.evaluate.explanations.random_similarity:RandomSimilarity",
        "max-sensitivity": "pellucid.evaluate.explanations.max_sensitivity:MaxSensitivity",
        "local-lipschitz": "pellucid.evaluate.explanations.local_lipschitz:LocalLipschitz",
        "reference-alignment": "pellucid.evaluate.explanations.reference_alignment:ReferenceAlignment",
        "image-alignment": "pellucid.evaluate.explanations.image_alignment:ImageAlignment",
        "gradient-bound": "pellucid.evaluate.explanations.gradient_bound:GradientBound",
        "insertion": "pellucid.evaluate.explanations.insertion:Insertion",
        "cascading-randomization": "pellucid.evaluate.explanations.cascading_randomization:CascadingRandomization",
        "label-randomization": "pellucid.evaluate.explanations.label_randomization:LabelRandomization",
        "class-sensitivity": "pellucid.evaluate.explanations.class_sensitivity:ClassSensitivity",
        "pointing-game": "pellucid.evaluate.explanations.pointing_game:PointingGame",
        "mass-in-mask": "pellucid.evaluate.explanations.mass_in_mask:MassInMask",
        "rank-in-mask": "pellucid.evaluate.explanations.rank_in_mask:RankInMask",
        "deletion": "pellucid.evaluate.explanations.deletion:Deletion",
        "pixel-flipping": "pellucid.evaluate.explanations.pixel_flipping:PixelFlipping",
        "infidelity": "pellucid.evaluate.explanations.infidelity:Infidelity",
        "road": "pellucid.evaluate.explanations.road:ROAD",
        "faithfulness-correlation": "pellucid.evaluate.explanations.faithfulness_correlation:FaithfulnessCorrelation",
        "adversarial-similarity": "pellucid.evaluate.explanations.adversarial_similarity:AdversarialSimilarity",
        "target-similarity": "pellucid.evaluate.explanations.target_similarity:TargetSimilarity",
        "adversarial-insertion": "pellucid.evaluate.explanations.adversarial_insertion:AdversarialInsertion",
        "invalidation": "pellucid.evaluate.explanations.invalidation:Invalidation",
    },
)

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

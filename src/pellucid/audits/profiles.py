"""The profiles that come with the library."""

from collections.abc import Mapping

from pellucid.audits.applicable.part import Applicable
from pellucid.audits.auto_attacked.part import AutoAttacked
from pellucid.audits.checked.part import Checked
from pellucid.audits.class_maps.part import ClassMaps
from pellucid.audits.decided.part import Decided
from pellucid.audits.explained.part import Explained
from pellucid.audits.gallery.part import Gallery
from pellucid.audits.gradients.part import Gradients
from pellucid.audits.neurons.part import Neurons
from pellucid.audits.profile import Profile
from pellucid.audits.robust.part import Robust
from pellucid.evaluate.explanations import (
    ROAD,
    AdversarialSimilarity,
    CascadingRandomization,
    ClassSensitivity,
    Deletion,
    GradientBound,
    ImageAlignment,
    Insertion,
    MaxSensitivity,
    Metric,
    RandomSimilarity,
    Sparsity,
)
from pellucid.explainers import (
    LRP,
    Explainer,
    GradCAM,
    Gradient,
    IntegratedGradients,
    NormLime,
    Occlusion,
    SmoothGrad,
)
from pellucid.explainers.lime import Grid, Lime

_FEW: Mapping[str, Explainer] = {
    "gradient": Gradient(),
    "smoothgrad": SmoothGrad(samples=10),
    "integrated-gradients": IntegratedGradients(steps=20),
    "grad-cam": GradCAM(),
}
_MORE: Mapping[str, Explainer] = {
    "gradient": Gradient(),
    "smoothgrad": SmoothGrad(samples=25),
    "integrated-gradients": IntegratedGradients(),
    "lrp": LRP(),
    "grad-cam": GradCAM(),
    "occlusion": Occlusion(),
}
_GRADIENTS: Mapping[str, Metric] = {
    "gradient-bound": GradientBound(),
    "image-alignment": ImageAlignment(),
    "sparsity": Sparsity(),
}

QUICK = Profile(
    "a first look: minutes on a CPU",
    {
        "decisions": Decided(),
        "applicability": Applicable(),
        "robustness": Robust(n=100, nearest=50, l2=(), steps=10, nearest_steps=40, repeated=8),
        "verdicts": Checked(n=16, steps=10),
        "explanations": Explained(
            _FEW,
            {
                "random-similarity": RandomSimilarity(draws=4),
                "adversarial-similarity": AdversarialSimilarity(steps=20),
                "insertion": Insertion(),
                "deletion": Deletion(),
                "class-sensitivity": ClassSensitivity(),
            },
            n=24,
        ),
        "gradients": Gradients(_GRADIENTS, n=32),
        "neurons": Neurons(n=200, steps=10, targets=1),
        "gallery": Gallery(_FEW, chosen=3, worst=3, rho=(0.05, 0.1, 0.2)),
        "class maps": ClassMaps(NormLime(Lime(Grid(), masks=250, output="logit")), n=24),
    },
    budget=600.0,
)

STANDARD = Profile(
    "what to believe a network by",
    {
        "decisions": Decided(),
        "applicability": Applicable(),
        "robustness": Robust(),
        "verdicts": Checked(),
        "explanations": Explained(
            _MORE,
            {
                "random-similarity": RandomSimilarity(),
                "max-sensitivity": MaxSensitivity(),
                "adversarial-similarity": AdversarialSimilarity(steps=50),
                "insertion": Insertion(),
                "deletion": Deletion(),
                "road": ROAD(percents=(10, 30, 50, 70, 90)),
                "cascading-randomization": CascadingRandomization(),
                "class-sensitivity": ClassSensitivity(),
                "sparsity": Sparsity(),
            },
            n=64,
        ),
        "gradients": Gradients(_GRADIENTS),
        "neurons": Neurons(),
        "gallery": Gallery(_MORE),
        "class maps": ClassMaps(NormLime(Lime(Grid(), output="logit"))),
    },
    budget=3600.0,
)

FULL = Profile(
    "what to publish",
    {
        "decisions": Decided(),
        "applicability": Applicable(),
        "robustness": Robust(n=1000, nearest=500, steps=40, nearest_steps=100, repeated=32),
        "AutoAttack": AutoAttacked(n=1000),
        "verdicts": Checked(n=64, steps=40),
        "explanations": Explained(
            {**_MORE, "lime": Lime()},
            {
                "random-similarity": RandomSimilarity(),
                "max-sensitivity": MaxSensitivity(),
                "adversarial-similarity": AdversarialSimilarity(restarts=2),
                "insertion": Insertion(),
                "deletion": Deletion(),
                "road": ROAD(),
                "cascading-randomization": CascadingRandomization(),
                "class-sensitivity": ClassSensitivity(),
                "sparsity": Sparsity(),
            },
            n=500,
        ),
        "gradients": Gradients(_GRADIENTS, n=500),
        "neurons": Neurons(n=5000, steps=40, targets=3),
        "gallery": Gallery({**_MORE, "lime": Lime()}, chosen=8, worst=8),
        "class maps": ClassMaps(NormLime(Lime(Grid(), output="logit")), n=500),
    },
)

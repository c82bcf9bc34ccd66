"""What Joo et al. (2023) claim of Local Gradient Alignment, on digits."""

from collections.abc import Mapping
from typing import Any

from pellucid.evaluate.explanations import (
    AdversarialInsertion,
    AdversarialSimilarity,
    Insertion,
    RandomSimilarity,
    TargetSimilarity,
)
from pellucid.papers import JOO
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.cost import Cost
from pellucid.studies.columns.judged import Judged
from pellucid.studies.study import Row, Scale, Study

PLAIN, HESSIAN, DISTANCE, COSINE, BOTH = "cross-entropy", "Hessian", "distance alone", "cosine alone", "both"

# With the published bend of 3 so small a network's gradients hardly move, and nothing can be told apart.
_SMOOTH: Mapping[str, Any] = {
    "model.name": "mlp",
    "model.options": {"activation": {"name": "softplus", "beta": 20}},
    "recipe.batch": 64,
}
_NEAR = 48 / 255
_NEIGHBORS: Mapping[str, Any] = {
    "objective.local-distance.neighbor.eps": _NEAR,
    "objective.local-cosine.neighbor.eps": _NEAR,
}
_EPS = 48 / 255


def _aligned(name: str, about: str, settings: Mapping[str, Any]) -> Row:
    return Row(name, "local-gradient-alignment", settings={**_SMOOTH, **_NEIGHBORS, **settings}, about=about)


ROWS = (
    # its two terms at nothing, so that optimizer, clipping and activation are those of the others
    _aligned(
        PLAIN,
        "cross-entropy alone, with the same network and optimizer",
        {"objective.local-distance.weight": 0.0, "objective.local-cosine.weight": 0.0},
    ),
    Row(HESSIAN, "hessian", settings=_SMOOTH, about="a small Hessian by one random vector"),
    _aligned(DISTANCE, "gradients of neighbors at a small distance", {"objective.local-cosine.weight": 0.0}),
    _aligned(COSINE, "gradients of neighbors in one direction", {"objective.local-distance.weight": 0.0}),
    _aligned(BOTH, "the method: gradients of neighbors at a small distance and in one direction", {}),
)

COLUMNS: dict[str, Column] = {
    "accuracy": Accuracy(),
    "random similarity": Judged(RandomSimilarity(eps=64 / 255), of="label"),
    "attacked similarity": Judged(AdversarialSimilarity(eps=_EPS), of="label"),
    "similarity to the target": Judged(TargetSimilarity(eps=_EPS), of="label"),
    "insertion": Judged(Insertion(), of="label"),
    "attacked insertion": Judged(AdversarialInsertion(eps=_EPS), of="label"),
    "cost": Cost(),
}


def _claim(says: str, figure: str, second: str, holds: str, fails: str, **more: Any) -> Claim:
    return Claim(says, (Place(BOTH, figure),), (Place(second, figure),), holds=holds, fails=fails, **more)


_STEADIER = (
    ("random similarity", "Maps change less under random noise", "more", "measure RPS"),
    ("attacked similarity", "Maps change less under attack", "more", "measure SAPS"),
    ("similarity to the target", "Attacked maps come less close to what the attacker wants", "less", "measure TAPS"),
    ("attacked insertion", "Maps of attacked images show more of what matters", "more", "measure Adv-Insertion"),
)

CLAIMS = (
    *(
        _claim(
            f"{says} than with cross-entropy alone.",
            figure,
            PLAIN,
            "Both terms together steady the maps.",
            "Both terms together steady the maps no more.",
            direction=direction,
            source=source,
        )
        for figure, says, direction, source in _STEADIER
    ),
    *(
        _claim(
            f"{says} than with a small Hessian.",
            figure,
            HESSIAN,
            "The method does better than the Hessian of the same network.",
            "The Hessian does as well.",
            direction=direction,
            source=source,
        )
        for figure, says, direction, source in _STEADIER
    ),
    _claim(
        "The cosine adds to what the distance does under attack.",
        "attacked similarity",
        DISTANCE,
        "With the cosine maps change less than by the distance alone.",
        "The distance alone does as well.",
        source="abstract: the distance depends on how logits are scaled",
    ),
    _claim(
        "The distance adds to what the cosine does under attack.",
        "attacked similarity",
        COSINE,
        "With the distance maps change less than by the cosine alone.",
        "The cosine alone does as well.",
        source="their loss has both",
    ),
    _claim(
        "Maps of clean images show no less of what matters.",
        "insertion",
        PLAIN,
        "Insertion loses at most two points.",
        "Insertion loses more than two points.",
        margin=-0.02,
        source="measure Insertion",
    ),
    _claim(
        "Little accuracy is lost.",
        "accuracy",
        PLAIN,
        "At most two points are lost.",
        "More than two points are lost.",
        margin=-0.02,
        source="abstract",
    ),
    _claim(
        "It takes no more time than the Hessian does.",
        "cost",
        HESSIAN,
        "A thousand images take less time.",
        "A thousand images take as much time.",
        direction="less",
        source="their table of time and memory",
    ),
)

JOO2023_DIGITS = Study(
    "Local Gradient Alignment on digits (Joo et al. 2023): do gradients hold still, and at what price?",
    ROWS,
    COLUMNS,
    CLAIMS,
    {
        "smoke": Scale({"data.source": "digits", "recipe.epochs": 4}, images=20, seeds=1),
        "hour": Scale({"data.source": "digits", "recipe.epochs": 60}, images=100, seeds=5),
    },
    paper=JOO,
    remarks=(
        "Digits of 8 x 8 pixels and a network of three layers stand in for the paper's. Its networks bend at 3 "
        "(Softplus); here they bend at 20, and neighbors and attacks reach 48/255 instead of 4/255, since maps of so "
        "small a network hardly change at the paper's settings.",
        "Weights are the published ones for LeNet: 0.01 for the distance, 1 for the cosine, 0.001 for the Hessian.",
        "Time hangs on the machine and on what else it does.",
    ),
)

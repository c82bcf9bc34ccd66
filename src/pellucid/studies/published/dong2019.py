"""What Dong et al. (2019) claim of neurons and of adversarial training with a consistent loss, on digits."""

from collections.abc import Mapping
from typing import Any

from pellucid.attacks import PGD, LowestLoss
from pellucid.papers import DONG
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.neurons import Neurons
from pellucid.studies.columns.robust_accuracy import RobustAccuracy
from pellucid.studies.study import Row, Scale, Study

PLAIN, ATTACKED, CONSISTENT = "cross-entropy", "adversarial training", "consistent"

_EPS = 0.2
_PLACES = ("objective.cross-entropy-2.at.attack.eps", "objective.feature-match.place.attack.eps")
_SETTINGS: Mapping[str, Any] = {
    "model.name": "mlp",
    "recipe.batch": 64,
    "recipe.optimizer": {"kind": "adam", "lr": 1e-3, "weight_decay": 0.0},
    **dict.fromkeys(_PLACES, _EPS),
}

ROWS = (
    Row(
        PLAIN,
        "standard",
        settings={name: value for name, value in _SETTINGS.items() if name not in _PLACES},
        about="cross-entropy on clean images alone",
    ),
    # the same objective without its last term, so that both see the same attack
    Row(
        ATTACKED,
        "consistency",
        settings={**_SETTINGS, "objective.feature-match.weight": 0.0},
        about="cross-entropy on clean images and on attacked ones, half and half",
    ),
    Row(CONSISTENT, "consistency", settings=_SETTINGS, about="the same, and features that stay under the attack"),
)

COLUMNS: dict[str, Column] = {
    "accuracy": Accuracy(),
    "attacked": RobustAccuracy(PGD(eps=_EPS, steps=40)),
    # the share and the least number are those that suit the few images
    "neurons": Neurons(attack=PGD(eps=_EPS, steps=20, goal=LowestLoss()), targets=3, top=0.05, least=20),
}


def _claim(says: str, figure: str, second: str, holds: str, fails: str, **more: Any) -> Claim:
    return Claim(says, (Place(CONSISTENT, figure),), (Place(second, figure),), holds=holds, fails=fails, **more)


CLAIMS = (
    *(
        claim
        for second, than in (
            (PLAIN, "a network trained on clean images"),
            (ATTACKED, "one trained on the same attack"),
        )
        for claim in (
            _claim(
                f"Attacked images activate neurons by their content more than in {than} (CS1).",
                "neurons/content",
                second,
                "Neurons keep to what is in the image.",
                "Neurons keep no more to what is in the image.",
                source="Figure 8 of the first version",
            ),
            _claim(
                f"Attacked images activate neurons by their target less than in {than} (CS2).",
                "neurons/target",
                second,
                "Neurons are led astray less.",
                "Neurons are led astray as much.",
                direction="less",
                source="Figure 8 of the first version",
            ),
            _claim(
                f"Features of attacked images stay nearer to their class than in {than}.",
                "neurons/r_mean",
                second,
                "The ratio of distances, to the class over to the target, is smaller.",
                "The ratio of distances, to the class over to the target, is no smaller.",
                direction="less",
                source="Figure 9 of the first version",
            ),
            _claim(
                f"It is right under attack more often than {than}.",
                "attacked",
                second,
                "PGD with 40 steps finds fewer failures.",
                "PGD with 40 steps finds no fewer failures.",
                source="abstract",
            ),
            _claim(
                f"Neurons are more consistent than in {than}.",
                "neurons/level",
                second,
                "Two images that activate a neuron are more often of one class.",
                "Two images that activate a neuron are no more often of one class.",
                source="title and abstract: interpretable networks",
            ),
        )
    ),
    Claim(
        "Features of attacked images are nearer to their class than to the target.",
        (Place(CONSISTENT, "neurons/r_mean"),),
        than=1.0,
        direction="less",
        source="Figure 9 of the first version: means of .98 and .99",
        holds="The ratio of distances is below 1.",
        fails="The ratio of distances is not below 1.",
    ),
    Claim(
        "Features of attacked images are nearer to those of the clean image than to any image of the target.",
        (Place(CONSISTENT, "neurons/r_inst"),),
        than=1.0,
        direction="less",
        source="Figure 9 of the first version: means of .87 to .92",
        holds="The ratio of distances is below 1.",
        fails="The ratio of distances is not below 1.",
    ),
    _claim(
        "Little accuracy is lost.",
        "accuracy",
        PLAIN,
        "At most two points are lost.",
        "More than two points are lost.",
        margin=-0.02,
        source="summaries of the paper",
    ),
)

DONG2019_DIGITS = Study(
    "Neurons and a consistent loss on digits (Dong et al. 2019): do neurons mean one thing, under attack too?",
    ROWS,
    COLUMNS,
    CLAIMS,
    {
        "smoke": Scale({"data.source": "digits", "recipe.epochs": 4}, images=100, seeds=1),
        "hour": Scale({"data.source": "digits", "recipe.epochs": 80}, images=0, seeds=5),
    },
    paper=DONG,
    remarks=(
        "Budgets, weights and the similarity of classes are not known of the paper. Here the budget is drawn up to "
        "0.2, the weight of the features is 0.6 on the mean length of their difference, and classes are alike only "
        "to themselves.",
        "All attacked images count, those too on which the attack failed, so that networks that resist differently "
        "well are compared on the same images.",
        "The paper's networks tell 1,000 classes apart. With ten, neurons that are led astray look more alike by "
        "chance.",
    ),
)

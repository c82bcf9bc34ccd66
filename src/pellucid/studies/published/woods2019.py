"""What Woods et al. (2019) claim of robust networks and of adversarial explanations, on digits."""

from collections.abc import Mapping
from typing import Any

from pellucid.attacks import FMN, BelowChance
from pellucid.evaluate.explanations import Invalidation
from pellucid.explainers import GradCAM, Gradient
from pellucid.norms import RMS
from pellucid.papers import WOODS
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.area import Area
from pellucid.studies.columns.judged import Judged
from pellucid.studies.study import Row, Scale, Study

PLAIN, BENT, ATTACKED, SHORT, ALL = (
    "standard",
    "Half-Huber alone",
    "adversarial training",
    "adversarial explanations",
    "adversarial explanations, all",
)

_SAME: Mapping[str, Any] = {
    "recipe.batch": 64,
    "recipe.optimizer": {"kind": "adam", "lr": 1e-3, "weight_decay": 0.0},
}
# at the published level and gain the weight hardly moves in so short a training
_MOVING: Mapping[str, Any] = {"objective.lipschitz.weight.level": 0.5, "objective.lipschitz.weight.gain": 0.2}
_HALF = {"activation": "half-huber"}
_NEAREST: Mapping[str, Any] = {
    "kind": "nearest",
    "steps": 7,
    "trajectory": 0.1,
    "momentum": 0.0,
    "keep": "last",
}

ROWS = (
    Row(PLAIN, "standard", settings=_SAME, about="cross-entropy alone"),
    Row(
        BENT,
        "standard",
        settings={**_SAME, "model.options": _HALF},
        about="the same with the activation of the method",
    ),
    Row(
        ATTACKED,
        "adversarial-training",
        settings={**_SAME, "objective.cross-entropy.at.attack": _NEAREST},
        about="every image led to the nearest failure in 7 steps",
    ),
    Row(
        SHORT,
        "adversarial-explanations",
        settings={**_SAME, **_MOVING},
        about="short gradients of logits, and Half-Huber",
    ),
    Row(
        ALL,
        "adversarial-explanations-all",
        settings={**_SAME, **_MOVING},
        about="the same with half of the images attacked",
    ),
)

COLUMNS: dict[str, Column] = {
    "accuracy": Accuracy(),
    "attack area": Area(FMN(norm=RMS())),
    "chance area": Area(FMN(norm=RMS(), goal=BelowChance())),
    "stays under attack": Judged(
        Invalidation(budgets=(0.02, 0.05, 0.1)), {"grad-cam": GradCAM(), "gradient": Gradient()}, few=True
    ),
}


def _more(says: str, first: str, second: str, figure: str, source: str) -> Claim:
    return Claim(
        says,
        (Place(first, figure),),
        (Place(second, figure),),
        source=source,
        holds=f"It is higher with {first} than with {second}.",
        fails=f"It is no higher with {first} than with {second}.",
    )


CLAIMS = (
    *(
        _more(f"{what}: {first} beats {second}.", first, second, figure, "abstract: more robust networks")
        for figure, what in (("attack area", "Accuracy-Robustness Area"), ("chance area", "Area until chance"))
        for first, second in ((SHORT, BENT), (SHORT, PLAIN), (ALL, ATTACKED), (ALL, SHORT))
    ),
    *(
        _more(
            f"More is left of the {name} map of the robust network under attacks that leave the answer.",
            ALL,
            PLAIN,
            f"stays under attack/{name}",
            "abstract: attacks invalidate explanations",
        )
        for name in ("grad-cam", "gradient")
    ),
    Claim(
        "Attacks that leave the answer invalidate Grad-CAM of a standard network.",
        (Place(PLAIN, "stays under attack/grad-cam"),),
        than=0.5,
        direction="less",
        source="abstract: attacks invalidate explanations",
        holds="Little of the map is left: its correlation with what it was is below 0.5.",
        fails="Much of the map is left: its correlation with what it was is not below 0.5.",
    ),
    Claim(
        "Little accuracy is lost.",
        (Place(SHORT, "accuracy"),),
        (Place(PLAIN, "accuracy"),),
        margin=-0.03,
        source="ours",
        holds="At most three points are lost.",
        fails="More than three points are lost.",
    ),
)

WOODS2019_DIGITS = Study(
    "Adversarial Explanations on digits (Woods et al. 2019): more robust networks, explanations that stay?",
    ROWS,
    COLUMNS,
    CLAIMS,
    {
        "smoke": Scale({"data.source": "digits", "recipe.epochs": 4}, images=40, few=8, seeds=1),
        "hour": Scale({"data.source": "digits", "recipe.epochs": 30}, images=0, few=40, seeds=4),
    },
    paper=WOODS,
    remarks=(
        "Areas are upper bounds: the nearest failures are those that FMN finds in 100 steps, up to the few images.",
        "The paper's networks are residual and learn CIFAR-10; here two convolutions learn digits.",
        "The adaptive weight has level 0.5 and gain 0.2; at the published ones it hardly moves in so short a time.",
    ),
)

"""Input gradients that make robust, and what else does so at their price, on digits."""

from collections.abc import Mapping
from typing import Any

from pellucid.attacks import APGD, FMN, PGD
from pellucid.norms import RMS
from pellucid.papers import RODRIGUEZ
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.area import Area
from pellucid.studies.columns.cost import Cost
from pellucid.studies.columns.robust_accuracy import RobustAccuracy
from pellucid.studies.study import Row, Scale, Study

_EPS = 0.1
_MAPS = "references.reference"

PLAIN, GELU, SILU, RELU = "standard", "gradnorm, GELU", "gradnorm, SiLU", "gradnorm, ReLU"
EDGES, PERMUTED, ANOTHER = "edges", "edges, permuted", "edges of another image"
TAUGHT, ATTACKED, SHORTER = "maps of a robust network", "adversarial training", "adversarial training, 2 steps"
AVERAGED, ONE_STEP, GUIDED, CORNERED = "adversarial training, averaged", "n-fgsm", "nuat", "standard, ReLU"

# all rows differ in the objective, and where they say so in the activation
_SAME: Mapping[str, Any] = {
    "model.options": {"activation": "gelu"},
    "recipe.optimizer": {"kind": "adamw", "lr": 3e-3, "weight_decay": 0.05},
    "recipe.schedule": {"kind": "cosine", "warmup": 0.05},
    "recipe.clip": 1.0,
    "recipe.batch": 64,
}
_ATTACK = "objective.cross-entropy.at.attack"


def _row(name: str, recipe: str, about: str, settings: Mapping[str, Any] | None = None) -> Row:
    return Row(name, recipe, settings={**_SAME, **(settings or {})}, about=about)


def _short(name: str, activation: str) -> Row:
    # the term is 1.2 eps times the length of the gradient in L1, for pixels from 0 to 1
    changed = {"model.options": {"activation": activation}, "objective.gradient-norm.weight.end": 1.2 * _EPS}
    return _row(name, "gradnorm", f"short gradients of the loss in L1, at {_EPS:g}", changed)


def _edges(name: str, about: str, settings: Mapping[str, Any]) -> Row:
    return _row(name, "edge-regularization", about, settings)


_TAUGHT: Mapping[str, Any] = {
    "kind": "taught",
    "recipe": "adversarial-training",
    "explainer": {"kind": "gradient"},
    "threshold": 0.0,
    "settings": {
        "recipe": {
            "optimizer": _SAME["recipe.optimizer"],
            "schedule": _SAME["recipe.schedule"],
            "clip": 1.0,
            "batch": 64,
        }
    },
}

ROWS = (
    _row(PLAIN, "standard", "cross-entropy alone, with GELU"),
    _row(CORNERED, "standard", "cross-entropy alone, with ReLU", {"model.options": {"activation": "relu"}}),
    _short(GELU, "gelu"),
    _short(SILU, "silu"),
    _short(RELU, "relu"),
    _edges(EDGES, "gradients along the edges of the image", {}),
    _edges(PERMUTED, "a control: the same edges with their pixels permuted", {f"{_MAPS}.permute": 1.0}),
    _edges(ANOTHER, "a control: the edges of another image", {f"{_MAPS}.of": "another"}),
    _edges(TAUGHT, "gradients like those of an adversarially trained network", {_MAPS: _TAUGHT}),
    _row(ATTACKED, "adversarial-training", f"PGD with 10 steps at Linf {_EPS:g}"),
    _row(
        SHORTER, "adversarial-training", "PGD with 2 steps, which costs what gradnorm does", {f"{_ATTACK}.steps": 2}
    ),
    _row(AVERAGED, "adversarial-training-averaged", "10 steps, and the weights averaged", {"recipe.average": 0.98}),
    _row(ONE_STEP, "n-fgsm", "one step from strong noise"),
    _row(GUIDED, "nuat", "one step, guided by the nuclear norm"),
)

UNDER = f"Linf {_EPS:g}"
COLUMNS: dict[str, Column] = {
    "accuracy": Accuracy(),
    UNDER: RobustAccuracy(APGD(eps=_EPS)),
    f"{UNDER}, PGD": RobustAccuracy(PGD(eps=_EPS, steps=40)),
    "area": Area(FMN(norm=RMS())),
    "cost": Cost(),
}


def _more(says: str, first: str, second: str, source: str, margin: float = 0.0) -> Claim:
    told = f"{first} is right under attack {{}} than {second}."
    held, failed = ("more often", "no more often")
    if margin < 0:
        held, failed = (f"{how} than {-margin:g} less often" for how in ("no more", "more"))
    return Claim(
        says,
        (Place(first, UNDER),),
        (Place(second, UNDER),),
        margin=margin,
        source=source,
        holds=told.format(held),
        fails=told.format(failed),
    )


_PAPER = "Rodriguez-Munoz et al. 2024"

CLAIMS = (
    _more("Short gradients of the loss make robust.", GELU, PLAIN, _PAPER),
    _more("Short gradients make robust by a smooth activation: GELU does better than ReLU.", GELU, RELU, _PAPER),
    _more("SiLU does as GELU does: better than ReLU.", SILU, RELU, _PAPER),
    _more("With ReLU they collapse: no better than without.", CORNERED, RELU, f"{_PAPER}: on ImageNet", -0.05),
    _more("They come within ten points of training on attacked images.", GELU, ATTACKED, _PAPER, -0.1),
    _more(
        "They come within ten points of what training on attacked images reaches at their price.",
        GELU,
        SHORTER,
        "ours",
        -0.1,
    ),
    _more("Gradients along edges make robust.", EDGES, PLAIN, _PAPER),
    _more("It is where the edges lie that helps: permuted edges help less.", EDGES, PERMUTED, "ours"),
    _more("It is the image's own edges that help: those of another help less.", EDGES, ANOTHER, "ours"),
    _more("Maps of a robust network help more than edges do.", TAUGHT, EDGES, "ours"),
    _more("Short gradients help more than gradients along edges.", GELU, EDGES, f"{_PAPER}: on ImageNet"),
    _more(
        "One step from strong noise comes within five points of ten steps.",
        ONE_STEP,
        ATTACKED,
        "de Jorge et al. 2022",
        -0.05,
    ),
    _more(
        "One step guided by the nuclear norm comes within five points of ten steps.",
        GUIDED,
        ATTACKED,
        "Sriramanan et al. 2021",
        -0.05,
    ),
    _more("Averaged weights make it more robust.", AVERAGED, ATTACKED, "FastAT benchmark"),
)

IR_REVISITED_DIGITS = Study(
    "Interpretation Regularization revisited, on digits: which input gradients make robust, and at what price?",
    ROWS,
    COLUMNS,
    CLAIMS,
    {
        "smoke": Scale({"data.source": "digits", "recipe.epochs": 3}, images=40, few=10, seeds=1),
        "hour": Scale({"data.source": "digits", "recipe.epochs": 20}, images=0, few=60, seeds=4),
    },
    paper=RODRIGUEZ,
    remarks=(
        "Claims are judged by APGD, which follows slopes: where a network hides them, it is an upper bound. "
        "PGD and the area stand beside it; `pellucid audit` checks a network for masking.",
        "The paper trains large networks on ImageNet, with mixup, cutmix and averaged weights. Digits "
        "of 8 x 8 pixels and two convolutions stand in for that, and edges of digits are nearly the digits.",
    ),
)

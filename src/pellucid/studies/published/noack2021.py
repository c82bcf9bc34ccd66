"""What Noack et al. (2021) claim of Interpretation Regularization, on MNIST and on digits."""

from collections.abc import Mapping
from typing import Any

from pellucid.attacks import PGD, Attack, noack2021
from pellucid.norms import L2
from pellucid.papers import NOACK
from pellucid.studies.claim import Claim, Place
from pellucid.studies.column import Column
from pellucid.studies.columns.accuracy import Accuracy
from pellucid.studies.columns.area import Area
from pellucid.studies.columns.cost import Cost
from pellucid.studies.columns.robust_accuracy import RobustAccuracy
from pellucid.studies.study import Row, Scale, Study

PRESET = "noack2021-mnist"

STANDARD, TEACHER, SHORT = "standard", "adversarial training", "short gradients"
ROBUST, ROBUST_PLAIN = "maps of a robust network, SmoothGrad", "maps of a robust network, plain"
ORDINARY, PERMUTED = "maps of a standard network, SmoothGrad", "maps of a robust network, permuted"

_MAPS = "references.reference"


def _interpreted(name: str, about: str, settings: Mapping[str, Any]) -> Row:
    return Row(name, "interpretation-regularization", PRESET, settings, about)


ROWS = (
    Row(STANDARD, "standard", PRESET, about="cross-entropy alone"),
    Row(TEACHER, "adversarial-training", PRESET, about="the robust network whose maps are taught"),
    Row(SHORT, "magnitude-only", PRESET, about="gradients kept short, without maps"),
    _interpreted(ROBUST, "short gradients in the direction of a robust network's SmoothGrad", {}),
    _interpreted(
        ROBUST_PLAIN,
        "the same with its plain gradients",
        {f"{_MAPS}.explainer": {"kind": "gradient"}},
    ),
    _interpreted(
        ORDINARY,
        "the same with the SmoothGrad of a standard network, which is cut at 1.25 deviations",
        {f"{_MAPS}.recipe": "standard", f"{_MAPS}.threshold": 1.25},
    ),
    _interpreted(
        PERMUTED, "a control: the robust network's maps with their pixels permuted", {f"{_MAPS}.permute": 1.0}
    ),
)

Attacks = Mapping[str, Attack]


def _columns(attacks: Attacks) -> dict[str, Column]:
    taken = {name: RobustAccuracy(attack) for name, attack in attacks.items()}
    return {"accuracy": Accuracy(), **taken, "area": Area(), "cost": Cost()}


def _at(row: str, *figures: str) -> tuple[Place, ...]:
    return tuple(Place(row, figure) for figure in figures)


def _claim(
    says: str, first: str, second: str, figures: tuple[str, ...], source: str, holds: str, fails: str
) -> Claim:
    return Claim(says, _at(first, *figures), _at(second, *figures), source=source, holds=holds, fails=fails)


_ABSTRACT = "abstract"
_COST = "What a student costs leaves out its teacher, which is trained first, and the maps."


def _claims(l2: Attacks, linf: Attacks, heavy: tuple[str, ...]) -> tuple[Claim, ...]:
    everywhere, cross = (*l2, *linf), tuple(linf)
    return (
        _claim(
            "Short gradients make a network more robust.",
            SHORT,
            STANDARD,
            everywhere,
            "the magnitude term of the loss",
            "Accuracy under attack, the mean over all budgets, is higher with short gradients alone.",
            "Accuracy under attack, the mean over all budgets, is no higher with short gradients alone.",
        ),
        _claim(
            "Gradients that also point where a robust network's do make it more robust still.",
            ROBUST,
            SHORT,
            everywhere,
            _ABSTRACT,
            "The maps add robustness to what short gradients give.",
            "The maps add nothing to what short gradients give.",
        ),
        _claim(
            "It is what the maps show that helps: permuted maps help less.",
            ROBUST,
            PERMUTED,
            everywhere,
            "their ablation by permuted maps",
            "With pixels permuted the same maps help less.",
            "With pixels permuted the same maps help as much.",
        ),
        _claim(
            "Maps of a robust network help more than those of a standard one.",
            ROBUST,
            ORDINARY,
            everywhere,
            "README of the published code",
            "The more robust teacher makes the more robust student.",
            "The standard teacher's student is as robust.",
        ),
        _claim(
            "SmoothGrad maps help more than plain gradients.",
            ROBUST,
            ROBUST_PLAIN,
            everywhere,
            _ABSTRACT,
            "SmoothGrad's maps are the better ones to learn from.",
            "Plain gradients are as good to learn from.",
        ),
        _claim(
            "SmoothGrad maps help more against attacks in a norm that the teacher did not see.",
            ROBUST,
            ROBUST_PLAIN,
            cross,
            _ABSTRACT,
            "The teacher was trained against L2; under Linf the student of SmoothGrad is more robust.",
            "The teacher was trained against L2; under Linf the student of plain gradients is as robust.",
        ),
        _claim(
            "SmoothGrad maps help more against heavy perturbations.",
            ROBUST,
            ROBUST_PLAIN,
            heavy,
            _ABSTRACT,
            "Far from the image the student of SmoothGrad is more robust.",
            "Far from the image the student of plain gradients is as robust.",
        ),
        _claim(
            "Maps of a robust network help against attacks in a norm that it did not see.",
            ROBUST,
            SHORT,
            cross,
            _ABSTRACT,
            "The teacher was trained against L2; its maps help under Linf too.",
            "The teacher was trained against L2; its maps do not help under Linf.",
        ),
        _claim(
            "Maps of a robust network help against heavy perturbations.",
            ROBUST,
            SHORT,
            heavy,
            _ABSTRACT,
            "They help at the larger budgets.",
            "They do not help at the larger budgets.",
        ),
        Claim(
            "A student of a robust network is as robust as its teacher.",
            _at(ROBUST, *everywhere),
            _at(TEACHER, *everywhere),
            margin=-0.02,
            source="ours",
            holds="It loses at most two points against the network that was trained on attacked images.",
            fails="It loses more than two points against the network that was trained on attacked images.",
        ),
        Claim(
            "It stays within three points of the standard network's accuracy.",
            _at(ROBUST, "accuracy"),
            _at(STANDARD, "accuracy"),
            margin=-0.03,
            source="ours",
            holds="Robustness costs at most three points of clean accuracy.",
            fails="Robustness costs more than three points of clean accuracy.",
        ),
    )


def _sized(images: int, epochs: int, *, steps: int, samples: int) -> dict[str, Any]:
    """So many training images and epochs, steps of the attack in training, and samples of SmoothGrad."""
    return {
        "data.first": images,
        "recipe.epochs": epochs,
        "objective.cross-entropy.at.attack.steps": steps,
        f"{_MAPS}.explainer.samples": samples,
    }


# steps of 50 images at the published rate would leave so short a training at chance
_QUICKLY = {"recipe.batch": 20, "recipe.optimizer.lr": 0.04, "data.tested": 300}

_MNIST_L2: Attacks = {
    "L2 1.5": noack2021.MNIST_L2_WEAK,
    "L2 2.5": noack2021.MNIST_L2_STRONG,
    "L2 3.5": noack2021.MNIST_L2_VERY_STRONG,
}
_MNIST_LINF: Attacks = {
    "Linf 0.1": noack2021.MNIST_LINF_WEAK,
    "Linf 0.2": noack2021.MNIST_LINF_STRONG,
    "Linf 0.25": noack2021.MNIST_LINF_VERY_STRONG,
    "Linf 0.3": noack2021.MNIST_LINF_STRONGEST,
}

NOACK2021_MNIST = Study(
    "Interpretation Regularization on MNIST (Noack et al. 2021): do maps of a robust network make a robust one?",
    ROWS,
    _columns({**_MNIST_L2, **_MNIST_LINF}),
    _claims(_MNIST_L2, _MNIST_LINF, ("L2 2.5", "L2 3.5", "Linf 0.2", "Linf 0.25")),
    {
        "smoke": Scale(_sized(400, 2, steps=2, samples=2) | _QUICKLY, images=10, few=5, seeds=1),
        "hour": Scale(_sized(3000, 5, steps=7, samples=10), images=200, few=64),
        "published": Scale(images=0, few=1000),
    },
    paper=NOACK,
    remarks=(
        "Attacks are those of the published code: PGD with 40 steps from one start, so each accuracy is an upper "
        "bound. The area is by FMN in units of the root mean square, an upper bound too.",
        _COST,
        "The published script leaves a tenth of each map permuted, which is its own ablation; here no map is, but in "
        "the row that says so.",
    ),
)

_DIGITS_L2: Attacks = {f"L2 {eps:g}": PGD(eps=eps, steps=40, norm=L2()) for eps in (0.4, 0.8, 1.2)}
_DIGITS_LINF: Attacks = {f"Linf {eps:g}": PGD(eps=eps, steps=40) for eps in (0.05, 0.1, 0.15, 0.2)}
# an image of 64 pixels becomes another one within the paper's budgets
_SMALLER = {
    "data.source": "digits",
    "objective.cross-entropy.at.attack.eps": 0.4,
    "objective.cross-entropy.at.attack.steps": 7,
}

NOACK2021_DIGITS = Study(
    "Interpretation Regularization on digits (Noack et al. 2021): do maps of a robust network make a robust one?",
    ROWS,
    _columns({**_DIGITS_L2, **_DIGITS_LINF}),
    _claims(_DIGITS_L2, _DIGITS_LINF, ("L2 0.8", "L2 1.2", "Linf 0.15", "Linf 0.2")),
    {
        "smoke": Scale({**_SMALLER, "recipe.epochs": 4, f"{_MAPS}.explainer.samples": 4}, images=40, few=10, seeds=1),
        "hour": Scale({**_SMALLER, "recipe.epochs": 30}, images=0, few=100, seeds=5),
    },
    paper=NOACK,
    remarks=(
        _COST,
        "Digits of 8 x 8 pixels stand in for MNIST, with smaller budgets: the teacher is attacked up to 0.4 in L2.",
        "Attacks are PGD with 40 steps from one start, so each accuracy is an upper bound; so is the area by FMN.",
    ),
)

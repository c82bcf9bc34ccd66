"""Accuracy before any attack: that of guessing, or of images that were normalized otherwise."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pellucid.errors import count_of
from pellucid.evaluate.robustness.checks.case import DOUBT, Case
from pellucid.metrics import Estimate
from pellucid.metrics.chance import no_better
from pellucid.metrics.verdict import Verdict

_GAIN = 0.05
_WORKS = 0.5  # of the mistakes that guessing makes; networks that learned nothing avoid an eighth in the kindest view


@dataclass(frozen=True)
class _View:
    """How many of the same images are right when they are prepared otherwise, and how often chance does as much."""

    name: str
    accuracy: float
    p: float


def clean_accuracy(case: Case) -> Verdict:
    """The network beats guessing, answers with more than one class, and gains nothing from normalized images."""
    right = case.decisions == case.many.y
    own, count = Estimate.proportion(int(right.sum()), len(right)), len(right)
    views = [_tried(case, name, x, right) for name, x in _normalized(case.many.x).items()]
    best = max(views, key=lambda view: view.accuracy)
    p = min(1.0, best.p * len(views))  # the best of several was chosen
    works = best.accuracy - case.chance >= _WORKS * (1 - case.chance)
    gains = works and best.accuracy > own.value + _GAIN
    evidence = {
        "accuracy": own.value,
        "low": own.low,
        "chance": case.chance,
        "guessing": case.blind,
        "normalized": best.accuracy,
        "by-chance": p,
    }
    finding, remedy = f"{own.value:.1%} of {count_of(count, 'image')} are classified rightly", ""
    if case.blind > DOUBT:
        finding += f", which cannot be told from guessing among {count_of(len(case.classes), 'class')}"
        finding += f" (by chance alone: p = {case.blind:.2g}, binomial test)"
        answers = case.decisions.unique()
        if len(answers) == 1 and count > 1:
            finding += f": the network answers {_class(case, int(answers))} to all of them"
        remedy = "check weights, the order of classes and how images are prepared; or take more images"
    if gains:
        finding += f", and {best.accuracy:.1%} {best.name}"
        finding += f" (by chance alone: p = {p:.2g}, McNemar's exact test, {len(views)} ways tried)"
    if gains and p <= DOUBT:
        remedy = "the network was trained on such images: put that normalization inside it, as its first layer"
    return Verdict("clean-accuracy", not remedy, finding, evidence, remedy)


def _tried(case: Case, name: str, x: Tensor, right: Tensor) -> _View:
    try:
        found = case.decided(x) == case.many.y
    except Exception:  # a network may refuse pixels outside [0, 1], in whatever way it likes
        return _View(name, 0.0, 1.0)
    return _View(name, float(found.double().mean()), no_better(found, right))


def _class(case: Case, number: int) -> str:
    return f"'{case.classes[number]}'" if number < len(case.classes) else f"class {number}"


def _normalized(x: Tensor) -> dict[str, Tensor]:
    """The images as they are often given to networks."""
    views = {"when pixels run from 0 to 255": 255 * x, "when pixels run from -1 to 1": 2 * x - 1}
    spread, mean = torch.std_mean(x.transpose(0, 1).flatten(1), dim=1)
    views["when each channel is normalized"] = _shifted(x, mean, spread.clamp_min(1e-3))
    if x.shape[1] == 3:
        usual = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        views["when normalized with ImageNet's mean and deviation"] = _shifted(x, *usual)
    return views


def _shifted(x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    shape = (-1, *[1] * (x.dim() - 2))
    return (x - mean.view(shape)) / spread.view(shape)

"""Accuracy before any attack: that of guessing, or of images that were normalised otherwise."""

import torch
from torch import Tensor

from pellucid.evaluate.checks.case import Case
from pellucid.evaluate.checks.verdict import Verdict
from pellucid.metrics import Estimate

_GAIN = 0.05


def clean_accuracy(case: Case) -> Verdict:
    """The network beats guessing, answers with more than one class, and gains nothing from normalised images."""
    own = _accuracy(case, case.logits)
    evidence = {"accuracy": own.value, "low": own.low, "chance": 1 / len(case.classes)}
    answers = case.logits.argmax(1).unique()
    name, best = max(
        ((name, _tried(case, x)) for name, x in _normalised(case.batch.x).items()),
        key=lambda one: one[1].value,
    )
    evidence["normalised"] = best.value
    finding, remedy = f"{own.value:.1%} of {case.size} images are classified rightly", ""
    if best.value > own.value + _GAIN and best.low > own.value:
        finding += f", and {best.value:.1%} {name}"
        remedy = "the network was trained on such images: put that normalisation inside it, as its first layer"
    elif len(answers) == 1 and len(case.batch.y.unique()) > 1:
        finding += f": the network answers {_class(case, int(answers))} to all of them"
        remedy = "an answer that never changes cannot be attacked; load the trained weights, or train further"
    elif own.low <= evidence["chance"]:
        finding += f", which cannot be told from guessing among {len(case.classes)} classes"
        remedy = "check weights, the order of classes and how images are prepared; or take more images"
    return Verdict("clean-accuracy", not remedy, finding, evidence, remedy)


def _accuracy(case: Case, logits: Tensor) -> Estimate:
    return Estimate.proportion(int((logits.argmax(1) == case.batch.y).sum()), case.size)


def _tried(case: Case, x: Tensor) -> Estimate:
    try:
        return _accuracy(case, case.answers(x))
    except Exception:  # a network may refuse pixels outside [0, 1], in whatever way it likes
        return Estimate.proportion(0, case.size)


def _class(case: Case, number: int) -> str:
    return f"'{case.classes[number]}'" if number < len(case.classes) else f"class {number}"


def _normalised(x: Tensor) -> dict[str, Tensor]:
    """The images as they are often given to networks."""
    views = {"when pixels run from 0 to 255": 255 * x, "when pixels run from -1 to 1": 2 * x - 1}
    spread, mean = torch.std_mean(x.transpose(0, 1).flatten(1), dim=1)
    views["when each channel is normalised"] = _shifted(x, mean, spread.clamp_min(1e-3))
    if x.shape[1] == 3:
        usual = x.new_tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        views["when normalised with ImageNet's mean and deviation"] = _shifted(x, *usual)
    return views


def _shifted(x: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    shape = (-1, *[1] * (x.dim() - 2))
    return (x - mean.view(shape)) / spread.view(shape)

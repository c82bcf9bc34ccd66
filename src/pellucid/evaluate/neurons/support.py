"""Whether predictions are supported by neurons that usually mean the class predicted, and what that foretells."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.errors import MeasurementError, count_of
from pellucid.evaluate.neurons.examining import Examined
from pellucid.evaluate.neurons.observing import column_of
from pellucid.metrics import Estimate
from pellucid.metrics.neurons import ClassSimilarity, Reading, auroc, meanings, support
from pellucid.randomness import Noise, derive


@dataclass(frozen=True, eq=False)
class Support:
    """A row per trace: its image, whether it was attacked, whether the prediction is wrong, and its support.

    Rows of attacks that failed are left out, and so are rows without a neuron to rest on, which `unknown` counts.
    """

    index: Int[Tensor, " n"]
    attacked: Bool[Tensor, " n"]
    wrong: Bool[Tensor, " n"]
    scores: Float[Tensor, " n"]
    unknown: int
    seed: int

    @property
    def errors(self) -> Estimate:
        """How often a wrong prediction of a real image has less support than a right one."""
        real = ~self.attacked
        _check(real)
        if not self.wrong[real].any():
            raise MeasurementError(
                f"none of {int(real.sum())} predictions is wrong; there is no error to be foretold"
            )
        if self.wrong[real].all():
            raise MeasurementError(f"all of {int(real.sum())} predictions are wrong; none is right to compare with")
        return auroc(-self.scores[real], self.wrong[real], seed=self.seed)

    @property
    def attacks(self) -> Estimate:
        """How often the prediction of an attacked image has less support than that of a real one."""
        _check(torch.ones_like(self.attacked))
        if not self.attacked.any():
            raise MeasurementError("no attack succeeded; there is none to be found out")
        if self.attacked.all():
            raise MeasurementError("no real image is left to compare attacked ones with")
        return auroc(-self.scores, self.attacked, groups=self.index, seed=self.seed)


def _check(known: Bool[Tensor, " n"]) -> None:
    if not known.any():
        raise MeasurementError(
            "no prediction rests on a neuron that means anything, so there is no support to judge by"
        )


def supports(
    examined: Examined,
    layer: str,
    similarity: ClassSimilarity,
    how: Reading = Reading(),
    *,
    seed: int = 0,
) -> Support:
    """The support of each traced prediction at a layer.

    What neurons usually mean is learned from one half of the images, and used for the other: an image would else
    speak in its own case.
    """
    traces, known = examined.traces, examined.activations.columns
    if traces is None:
        raise MeasurementError("no prediction was taken apart; trace 1 image or more")
    halves = Noise(derive(seed, "halves"), known["index"]).uniform(dtype=torch.float64).argsort().argsort() % 2
    if len(halves) < 4:
        raise MeasurementError(
            f"{count_of(len(halves), 'image')} are too few to learn what neurons mean from half of them"
        )
    counted = traces.columns["counted"]
    columns = {name: column[counted] for name, column in traces.columns.items()}
    # images are numbered in order wherever they were drawn from
    numbers, order = known["index"].sort()
    half = halves[order][torch.searchsorted(numbers, columns["index"])]
    scores = torch.zeros(len(half), dtype=torch.float64)
    defined = torch.zeros(len(half), dtype=torch.bool)
    for fold in (0, 1):
        rows, other = half == fold, halves != fold
        if not rows.any():
            continue
        learned = meanings(
            known[column_of(layer)][other], known["y"][other], similarity, classes=examined.classes, how=how
        )
        differences, predicted = columns[column_of(layer)][rows], columns["predicted"][rows]
        scores[rows], defined[rows] = support(differences, predicted, learned)
    wrong = columns["predicted"] != columns["y"]
    index, attacked = columns["index"][defined], columns["attacked"][defined]
    return Support(index, attacked, wrong[defined], scores[defined], int((~defined).sum()), seed)

"""What an attack came to, image by image; every figure is computed from it afterwards."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pellucid import config, metrics
from pellucid.attacks import Misclassified
from pellucid.attacks.attack import within
from pellucid.errors import MeasurementError, count_of
from pellucid.ledger import Table, kind_in, summary
from pellucid.metrics import Estimate

_SHOWN = 4  # budgets


@dataclass(frozen=True, eq=False)
class Record(Table):
    """What an attack came to on every image, and what it was.

    Columns, a row per image: `index` (its number in the split), `y`, `predicted` (by the network, on the original),
    `found` (after the attack), `reached`, `distance`, `reached_at_start` (the goal was reached from the start),
    `confidence` (of the label, on the original), `forwards`, `backwards`, `part`.
    """

    def __repr__(self) -> str:
        figures: dict[str, Callable[[], object]] = {"accuracy": lambda: self.accuracy}
        if self.about.get("nearest"):
            figures["median distance"] = self.median_distance
            figures["never reached"] = lambda: self.unreached
        for level in () if self.about.get("nearest") else self.about.get("levels", ())[:_SHOWN]:
            figures[f"robust accuracy at {level:.4g}"] = partial(self.robust_accuracy, level)
        return summary(self, figures, f"{kind_in(self.about, 'attack')} in {kind_in(self.about, 'norm')}")

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.about["classes"])

    @property
    def unreached(self) -> int:
        """The number of images for which the attack never reached its goal."""
        return int((~self.columns["reached"]).sum())

    @property
    def distance(self) -> Float[Tensor, " n"]:
        """How far the failure found lies; infinite where none was."""
        return self.columns["distance"].double().where(self.columns["reached"], math.inf)

    @property
    def accuracy(self) -> Estimate:
        """The share of originals that the network gets right."""
        return Estimate.proportion(int((self.columns["predicted"] == self.columns["y"]).sum()), len(self))

    @property
    def survived(self) -> Estimate:
        """The share of images for which the attack never reached its goal, at whatever distance."""
        self._check(~self.columns["reached"])
        return Estimate.proportion(self.unreached, len(self))

    def robust_accuracy(self, eps: float) -> Estimate:
        """The share of images for which no failure was found within `eps`."""
        levels: Sequence[float] = self.about["levels"]
        if not self.about["nearest"] and not any(math.isclose(eps, level, rel_tol=1e-6) for level in levels):
            known = ", ".join(f"{level:.6g}" for level in levels)
            had = f"had the budget {known}" if levels else "had no budget"
            raise MeasurementError(
                f"this attack {had} and says nothing of eps={eps:.6g}; measure with that eps, "
                "or with a nearest-point attack"
            )
        fallen = self.columns["reached"] & within(self.distance, eps)
        self._check(~fallen)
        return Estimate.proportion(len(self) - int(fallen.sum()), len(self))

    def curve(self) -> tuple[Float[Tensor, " steps"], Float[Tensor, " steps"]]:
        """Distances, ascending from 0, and the share of images that stands beyond each of them."""
        self._needs_distances("a curve")
        finite = self.distance[self.distance.isfinite()]
        at = torch.cat([finite.new_zeros(1), finite]).unique()
        standing = [1 - float((self.distance <= eps).sum()) / len(self) for eps in at.tolist()]
        return at, at.new_tensor(standing)

    def area(self, *, seed: int = 0) -> Estimate:
        """The Accuracy-Robustness Area: of accuracy, or of being better than chance, as the attack's goal was."""
        self._needs_distances("an area")
        return metrics.area(self.distance, classes=self.classes, seed=seed)

    def median_distance(self) -> Estimate:
        """The median distance of the failures found, among images that were right to begin with."""
        attacked = ~self.columns["reached_at_start"] & self.columns["reached"]
        if self.columns["reached_at_start"].all():
            raise MeasurementError("every image fails as it is; there is no distance to speak of")
        if not attacked.any():
            raise MeasurementError("the attack moved no image to its goal; there is no median distance")
        return Estimate.resampled(lambda rows: rows.quantile(0.5, dim=-1), self.distance[attacked])

    def _needs_distances(self, what: str) -> None:
        if not self.about["nearest"]:
            raise MeasurementError(
                f"{what} needs the nearest failure of every image; measure with a nearest-point attack such as fmn"
            )
        self._check(~self.columns["reached"])

    def _check(self, standing: Bool[Tensor, " n"]) -> None:
        """Refuse what cannot be: an image that is wrong as it is and stands under attack, a point out of reach."""
        distance = self.columns["distance"][self.columns["reached"]].double()
        several = isinstance(self.about["attack"], list)  # of which each may have had budgets of its own
        unbounded = self.about["nearest"] or several or not self.about["levels"]
        most = math.inf if unbounded else max(self.about["levels"])
        if not bool(((distance >= 0) & within(distance, most)).all()):
            raise MeasurementError(
                f"this record has failures at distances from {float(distance.min()):.4g} to "
                f"{float(distance.max()):.4g}, and the attack was to stay between 0 and {most:.4g}; measure again"
            )
        wrong = self.columns["predicted"] != self.columns["y"]
        # what is wrong is misclassified without an attack, and no attack makes it right; other goals are others
        if self.about["goal"] == config.dump(Misclassified()) and (stands := int((wrong & standing).sum())):
            raise MeasurementError(
                f"{stands} of {count_of(len(self), 'image')} that the network gets wrong as they are stand under "
                "attack, so that "
                "robust accuracy would be above accuracy, which cannot be: the network changes its answers from look "
                "to look, or this record is not what was measured; see the check of randomness, and measure again"
            )


def worst(records: Sequence[Record]) -> Record:
    """One record of several attacks on the same images: of each image the nearest failure that any found."""
    first = records[0]
    for other in records[1:]:
        if not torch.equal(first.columns["index"], other.columns["index"]):
            raise MeasurementError("these records are of different images; measure all attacks on the same ones")
        if first.about["norm"] != other.about["norm"] or first.about["goal"] != other.about["goal"]:
            raise MeasurementError("these records differ in norm or goal; their distances do not compare")
    distance = torch.stack([record.distance for record in records])
    chosen = distance.argmin(0)
    rows = torch.arange(len(first))
    columns = {name: torch.stack([part.columns[name] for part in records])[chosen, rows] for name in first.columns}
    bounded = [set(record.about["levels"]) for record in records if not record.about["nearest"]]
    levels = sorted(set[float]().union(*bounded[:1]).intersection(*bounded[1:]))
    if bounded and not levels:
        raise MeasurementError("these records have no budget in common; measure all attacks at the same eps")
    attacks = [record.about["attack"] for record in records]
    return Record(columns, {**first.about, "attack": attacks, "levels": levels, "nearest": not bounded})

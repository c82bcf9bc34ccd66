"""What a network decides on every image, and how sure it is."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid.batch import check_labels
from pellucid.data import Split, sequential
from pellucid.errors import MeasurementError, NotFinite, count_of
from pellucid.kinds import ready
from pellucid.ledger import Table, check_unchanged, fingerprint, in_halves_on_oom, summary
from pellucid.looking import look
from pellucid.metrics import Estimate
from pellucid.metrics.calibration import calibration_error
from pellucid.probe import frozen


@dataclass(frozen=True, eq=False)
class Decisions(Table):
    """Columns, a row per image: `index`, `y`, `predicted`, `confidence` (of the prediction), `loss`."""

    def __repr__(self) -> str:
        return summary(self, {"accuracy": lambda: self.accuracy, "loss": lambda: self.loss})

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.about["classes"])

    @property
    def right(self) -> Tensor:
        """The images whose prediction is the label."""
        return self.columns["predicted"] == self.columns["y"]

    @property
    def accuracy(self) -> Estimate:
        """The share of images that the network gets right."""
        return Estimate.proportion(int(self.right.sum()), len(self))

    @property
    def loss(self) -> Estimate:
        """The mean cross-entropy, with its interval."""
        return Estimate.mean(self.columns["loss"])

    def calibration_error(self, *, bins: int = 15) -> Estimate:
        """How far confidence and accuracy are apart."""
        return calibration_error(self.columns["confidence"], self.right, bins=bins)

    def accuracy_of(self, number: int) -> Estimate | None:
        """The share of a class's images that the network gets right; none where there is no such image."""
        own = self.columns["y"] == number
        return Estimate.proportion(int((own & self.right).sum()), int(own.sum())) if own.any() else None

    def confusion(self) -> Tensor:
        """How many images of each class (row) are taken for each (column)."""
        pairs = self.columns["y"] * self.classes + self.columns["predicted"]
        return pairs.bincount(minlength=self.classes**2).view(self.classes, self.classes)


def decide(model: nn.Module, split: Split, *, batch: int = 256) -> Decisions:
    """Look once at every image of a split; where memory does not suffice for a batch, it is halved."""
    if not len(split):
        raise MeasurementError("this split has no images; look at one or more")
    model = ready(model)
    own = fingerprint(model)
    columns: dict[str, list[Tensor]] = {name: [] for name in ("index", "y", "predicted", "confidence", "loss")}
    with frozen(model), torch.no_grad():
        for images in split.batches(sequential(split, batch)):
            logits = torch.cat(in_halves_on_oom(lambda some: look(model, some.x), images)).double()
            check_labels(images.y, logits.shape[1], "this split")
            broken = ~logits.isfinite().all(1)
            if broken.any():
                raise NotFinite(
                    f"the network's logits are NaN or infinite for {count_of(int(broken.sum()), 'image')}"
                )
            confidence, predicted = logits.softmax(1).max(1)
            loss = F.cross_entropy(logits, images.y, reduction="none")
            found = (images.index, images.y, predicted, confidence, loss)
            for name, values in zip(columns, found, strict=True):
                columns[name].append(values.cpu())
    about = {
        "classes": len(split.classes),
        "images": len(split),
        "data": split.fingerprint(),
        "model": own,
    }
    check_unchanged(model, own)
    return Decisions({name: torch.cat(parts) for name, parts in columns.items()}, about)

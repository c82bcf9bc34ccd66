"""What training says of itself: steps, and epochs with what was measured in them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pellucid import shape
from pellucid.metrics import Estimate


@dataclass(frozen=True)
class Step:
    """One optimizer step is done."""

    epoch: int
    step: int
    steps: int


@dataclass(frozen=True)
class Epoch:
    """One pass over the training images.

    `robust` is the robust accuracy on the images that the recipe watches; `overfitted` says that it has collapsed.
    `negligible` is the share of the loss that a term added in the first epoch, for those that added next to nothing.
    """

    number: int
    epochs: int
    loss: float
    terms: Mapping[str, float]
    weights: Mapping[str, float]
    accuracy: float
    validation: Estimate | None
    learning_rate: float
    seconds: float
    images_per_second: float
    robust: Estimate | None = None
    overfitted: bool = False
    negligible: Mapping[str, float] = field(default_factory=dict[str, float])

    def __str__(self) -> str:
        parts = [f"epoch {self.number}/{self.epochs}", f"loss {self.loss:.4f}", f"accuracy {self.accuracy:.4f}"]
        if self.validation is not None:
            parts.append(f"validation {self.validation}")
        if self.robust is not None:
            parts.append(f"robust {self.robust}{' (collapsed)' if self.overfitted else ''}")
        if len(self.terms) > 1:
            parts += [
                f"{name} {value:.4g}{' (negligible)' if name in self.negligible else ''}"
                for name, value in self.terms.items()
            ]
        return "  ".join([*parts, f"{self.images_per_second:.0f} images/s"])

    def to_record(self) -> dict[str, Any]:
        """The epoch as plain tables, for JSON."""
        return asdict(self)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Epoch":
        """The epoch that plain tables describe."""
        shape.check(record, _RECORD)
        values = dict(record)
        for name in ("validation", "robust"):
            if values.get(name) is not None:
                values[name] = Estimate.from_record(values[name])
        return cls(**values)


_RECORD = {
    **dict.fromkeys(("number", "epochs"), int),
    **dict.fromkeys(("loss", "accuracy", "learning_rate", "seconds", "images_per_second"), shape.ENDLESS),
    **dict.fromkeys(("terms", "weights", "negligible?"), shape.Each(shape.ENDLESS)),
    "validation": shape.PLAIN,
    "robust?": shape.PLAIN,
    "overfitted?": bool,
}


@dataclass(frozen=True)
class Resumed:
    """Training goes on after the epochs in `history`. `rejected` says why damaged checkpoints were passed over."""

    history: tuple[Epoch, ...]
    rejected: tuple[str, ...]

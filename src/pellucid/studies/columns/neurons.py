"""What single neurons stand for, and whether attacks mislead them."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal, final

from pellucid.attacks import PGD, Attack, LowestLoss
from pellucid.errors import ConfigError
from pellucid.evaluate.neurons import Probing, Which, findings
from pellucid.metrics.estimates import Estimate
from pellucid.metrics.neurons import ClassSimilarity, Identity, Reading
from pellucid.studies.column import Column, Figures, Looked
from pellucid.subjects import layers_of, neurons_of


@final
@dataclass(frozen=True)
class Neurons(Column):
    """The figures of `pellucid neurons` for one layer, by their names in its JSON, such as `level` and `r_mean`.

    Without a `layer` it is the one that the last linear layer reads. Images are led to other classes by `attack`, and
    `which` of them count: all, so that networks that resist differently well are compared on the same ones.
    """

    layer: str = ""
    attack: Attack = field(default_factory=lambda: PGD(eps=8 / 255, steps=20, goal=LowestLoss()))
    targets: int = 2
    top: float = 0.01
    least: int = 50
    similarity: ClassSimilarity = field(default_factory=Identity)
    which: Which = "all"
    few: bool = False

    better: ClassVar[Literal["higher", "lower", "neither"]] = "neither"

    def __post_init__(self) -> None:
        if not 0 < self.top <= 1:
            raise ConfigError(f"top is {self.top:g}; it is a part of all images, above 0 and at most 1")
        Reading(self.top, self.least)
        if self.targets < 1:
            raise ConfigError(f"targets is {self.targets}; lead each image to 1 other class or more")

    @property
    def dear(self) -> bool:
        """As it was asked for."""
        return self.few

    def figures(self, looked: Looked) -> Figures:
        """Measured as `pellucid neurons` does."""
        layers = layers_of(looked.subject, (self.layer,) if self.layer else ())
        targets = min(self.targets, len(looked.subject.split.classes) - 1)
        probing = Probing(layers, attack=self.attack, targets=targets, traced=0)
        examined = neurons_of(looked.subject, probing, looked.folder, seed=looked.seed, job=looked.job)
        reading = Reading(self.top, self.least)
        (found,) = findings(examined, self.similarity, reading, which=self.which, seed=looked.seed)
        content = found.content()
        names = [name for name in _NAMES if name in content]
        known = {name: content[name] for name in names}
        return {name: content["missing"][name] if one is None else Estimate(**one) for name, one in known.items()}


_NAMES = ("level", "corrected", "content", "target", "difference", "r_mean", "r_inst")

"""What networks still learn from what rankings leave of images."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal, final

from torch import nn

from pellucid.errors import ConfigError
from pellucid.evaluate.retrain import PROTOCOLS, Design, Protocol, Random, Ranking, retrain
from pellucid.randomness import derive
from pellucid.runs import build_model
from pellucid.studies.column import Column, Figures, Looked


@final
@dataclass(frozen=True)
class Retrained(Column):
    """The mean height of each ranking's curve by ROAR or KAR, over `fractions` and `networks`, as `protocol/ranking`.

    A low curve is good by `roar`, which removes what comes first; a high one by `kar`, which keeps it alone. Networks
    are trained as the row's was, by cross-entropy, and tested on all test images. Several seeds of a study have other
    rankings and other first weights.
    """

    rankings: Mapping[str, Ranking] = field(default_factory=lambda: {"random": Random()})
    protocols: tuple[Protocol, ...] = PROTOCOLS
    fractions: tuple[float, ...] = (0.1, 0.3, 0.5, 0.7, 0.9)
    networks: int = 1

    better: ClassVar[Literal["higher", "lower", "neither"]] = "neither"
    share: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.networks < 1:
            raise ConfigError(f"networks is {self.networks}; train 1 or more for each point of a curve")
        Design(self.protocols, self.fractions, self.networks).cells(self.rankings)
        if wrong := [name for name in self.rankings if "/" in name]:
            raise ConfigError(f"a ranking is called '{wrong[0]}'; give it a name without a slash")

    def figures(self, looked: Looked) -> Figures:
        """Measured as `pellucid retrain` does."""
        spec, place = looked.spec, next(looked.subject.model.parameters()).device

        def fresh(number: int) -> nn.Module:
            return build_model(replace(spec, seed=derive(spec.seed, "retrained", number)))

        data = replace(looked.data, train=looked.data.train.to(place), test=looked.data.test.to(place))
        design = Design(self.protocols, self.fractions, self.networks, seed=looked.seed)
        folder = looked.folder.parent / "retrained"
        table = retrain(
            looked.subject.model, fresh, data, self.rankings, spec.recipe, folder, design=design, job=looked.job
        )
        return {
            f"{protocol}/{name}": table.area(protocol, name) for protocol in self.protocols for name in self.rankings
        }

"""Maps of a teacher that is trained for the purpose."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from jaxtyping import Float
from torch import Tensor

from pellucid.data import Split
from pellucid.errors import ConfigError
from pellucid.explainers import Explainer, SmoothGrad
from pellucid.train.references.reference import Reference
from pellucid.train.references.treatment import check_treatment


@final
@dataclass(frozen=True)
class Taught(Reference):
    """Maps of a teacher, which `pellucid train` trains first: by `recipe`, with the student's data, network and seed.

    `preset` names settings for that recipe, and `settings` change the teacher's, as in a settings file:
    `{"recipe": {"epochs": 5}}`. `threshold` and `permute` are those of `Stored`. `fingerprint` is that of the
    teacher's run.
    """

    recipe: str = "adversarial-training"
    explainer: Explainer = field(default_factory=SmoothGrad)
    threshold: float = 1.0
    permute: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    fingerprint: str = ""
    preset: str = ""

    def __post_init__(self) -> None:
        check_treatment(self.threshold, self.permute, "Taught")

    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """Refuse to make maps: only a run can train the teacher, as `pellucid.runs.execute` does."""
        raise ConfigError(
            f"maps of a teacher trained by '{self.recipe}' need that training; use 'pellucid train', or make them "
            "with pellucid.train.references.make and attach them with Stored"
        )

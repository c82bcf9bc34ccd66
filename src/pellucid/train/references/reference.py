"""Where the maps come from that a network's gradients are compared with."""

from abc import ABC, abstractmethod
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pellucid.data import Split
from pellucid.errors import ConfigError


class Reference(ABC):
    """A source of maps, one for each training image. Final classes are frozen dataclasses listed in `REFERENCES`.

    Terms find the maps as a column of the batch, under the name that the specification gives the source.
    """

    registry: ClassVar[str] = "pellucid.train.references:REFERENCES"

    @abstractmethod
    def maps(self, split: Split, seed: int = 0) -> Float[Tensor, "n *shape"]:
        """The maps, in the order of the split's images."""

    def identified(self, split: Split) -> "Reference":
        """The same source with the fingerprint of its content filled in, as far as its settings do not say it all.

        What does not belong to the split is refused.
        """
        return self


def matching(known: str, found: str, owner: str) -> str:
    """The fingerprint found, where none was known or it is the same."""
    if known not in ("", found):
        raise ConfigError(
            f"{owner} are not those that the settings were made for; set their fingerprint to '' to train with these"
        )
    return found

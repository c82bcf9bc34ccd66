"""What a network says of the images that it takes, and of what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, final, get_args

from pellucid.class_names import checked_names
from pellucid.errors import ConfigError

Interpolation = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]
"""How pixels between pixels are found where an image is scaled, by Pillow's names."""

Network = TypeVar("Network")


@final
@dataclass(frozen=True)
class Intake:
    """How an image becomes one that a network takes, and what its outputs are called.

    `shape` is channels, height and width; None where any will do. Of an image the largest piece of these proportions
    is taken at its center, of that the share `crop` of each side, and this is scaled to the shape; `stretched` takes
    the whole image for the piece and lets proportions go. `classes` are texts with other names for the same class
    after commas, one for each output in their order; none where nobody says.

    A network carries it as its attribute `intake`; a function that makes one may end with

        return with_intake(network, Intake((3, 224, 224), crop=0.875, classes=class_names("imagenet")))
    """

    shape: tuple[int, int, int] | None = None
    crop: float = 1.0
    interpolation: Interpolation = "bilinear"
    stretched: bool = False
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.shape is not None and not (len(self.shape) == 3 and all(1 <= size < 10**6 for size in self.shape)):
            raise ConfigError(f"shape={self.shape} is not (channels, height, width); give three numbers from 1 on")
        if not 0 < self.crop <= 1:
            raise ConfigError(f"crop={self.crop:g} is no share of a picture; give one above 0, and 1 at most")
        if self.interpolation not in get_args(Interpolation):
            known = ", ".join(get_args(Interpolation))
            raise ConfigError(f"'{self.interpolation}' is no interpolation; take one of {known}")
        if self.classes:
            checked_names(self.classes, "the network")


def with_intake(network: Network, intake: Intake) -> Network:
    """The same network, which says by its attribute `intake` what images it takes."""
    vars(network)["intake"] = intake
    return network


def intake_of(network: object) -> Intake | None:
    """What a network says of its images by its attribute `intake`; none where it says nothing."""
    found = getattr(network, "intake", None)
    if isinstance(found, Mapping | list | tuple | str):
        raise ConfigError(
            f"the attribute 'intake' of the network is a {type(found).__name__}; make it a pellucid.Intake"
        )
    return found if isinstance(found, Intake) else None

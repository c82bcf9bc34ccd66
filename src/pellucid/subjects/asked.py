"""What a person asks about: which network, which images, on what.

The words alone are cheap: nothing heavy is imported before they are answered.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pellucid import config
from pellucid.config import Table
from pellucid.errors import ConfigError

if TYPE_CHECKING:
    from pellucid.data import Report, Split
    from pellucid.subjects.subject import Subject


@dataclass(frozen=True)
class Asked:
    """A network by its words, and the images that it is looked at with.

    Without `data` the images are those that a run was trained on. `split` is test, train, validation or all; `n` of
    its images are drawn at random by `seed`. `options` are `name=value`. `size` and `skip_bad` are how image files
    are read, and `download` allows fetching published data. `classes` are what the outputs are called, "imagenet" or
    a file; `map` is a file that says which class a folder is. What a network says of its images by itself, its
    `pellucid.Intake`, holds where nothing else is said.

    >>> Asked("mlp", "digits", n=4).subject().split
    TensorSplit(4 images of 1x8x8 in 10 classes: 0, 1, 2, 3, 4, 5, 6, ..., 9)
    """

    model: str
    data: str | None = None
    weights: str | None = None
    options: tuple[str, ...] = ()
    split: str = "test"
    n: int | None = None
    seed: int = 0
    device: str = "auto"
    size: int | None = None
    skip_bad: bool = False
    download: bool = False
    classes: str | None = None
    map: str | None = None

    @property
    def settings(self) -> Table:
        """What the options say of the network."""
        settings: Table = {}
        for option in self.options:
            settings = config.override(settings, option)
        return settings

    def subject(
        self, *, report: "Report | None" = None, prepare: "Callable[[Split], Split] | None" = None
    ) -> "Subject":
        """The network and the images that the words stand for.

        A folder of pictures without folders of classes will do; what the network decides then stands for the labels.
        A network that does not take the images, or has other classes, is an error. `report` hears how far the reading
        of images is, and `prepare` gets all images of the part before `n` of them are drawn.
        """
        (found,) = self.subjects([self.model], report=report, prepare=prepare)
        return found

    def subjects(
        self,
        models: Sequence[str],
        *,
        report: "Report | None" = None,
        prepare: "Callable[[Split], Split] | None" = None,
    ) -> "list[Subject]":
        """`subject` for each of several networks, all with the same images: `data`, or those of the first run."""
        from pellucid.data import silent
        from pellucid.subjects.answer import answer

        if not models:
            raise ConfigError("there is no network to audit; name one or more")
        if self.weights is not None and len(models) > 1:
            raise ConfigError(
                f"{self.weights} are weights of one network, and {len(models)} are named; audit it alone, "
                "or name a run"
            )
        each = [replace(self, model=model) for model in models]
        return answer(each, report or silent, prepare or (lambda split: split))

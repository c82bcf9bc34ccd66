"""What explainers say of pictures, for every class that is asked about."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid import config, data
from pellucid.batch import Batch
from pellucid.data import Report, Split, silent
from pellucid.errors import ConfigError
from pellucid.evaluate.explanations import Passes, counted
from pellucid.evaluate.foreseen import passes_to_explain
from pellucid.explainers import Explainer, Explanation
from pellucid.intake import Intake, intake_of
from pellucid.ledger import Progress, in_halves_on_oom
from pellucid.looking import look
from pellucid.probe import frozen
from pellucid.subjects.answer import (
    AskedData,
    data_of,
    device_of,
    is_run,
    is_untrained,
    named_outputs,
    network_of,
    says_its_images,
)
from pellucid.subjects.asked import Asked
from pellucid.subjects.intakes import common_intake
from pellucid.subjects.subject import check_outputs, outputs_of

DRAWN = 8
"""So many images are explained where nobody says which or how many."""

WORTH_KEEPING = 2.0
"""Seconds; what took less is not kept while others are being made."""

_AT_ONCE = 64
LEARNED = 100
"""Images that an explainer learns from, at most."""

_ROWS = 200  # maps of one explainer that are made before they are written; they stand on one sheet
_BYTES = 2**29  # of all explainers' maps that are held at once


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures, what each is called, and the logits that a network gives them; `train` is what it learned from."""

    name: str
    model: nn.Module
    x: Float[Tensor, "n c h w"]
    names: tuple[str, ...]
    classes: tuple[str, ...]
    logits: Float[Tensor, "n classes"]
    train: Split | None
    untrained: bool = False

    def probabilities(self, x: Float[Tensor, "m c h w"]) -> Float[Tensor, "m classes"]:
        """What the network says of other images."""
        return _logits(self.model, x).double().softmax(1)


@dataclass(frozen=True, eq=False)
class Account:
    """What one explainer says of all pictures, about the class that `asked` stands for in each.

    Those of one `portion` come together, and no more need be held at once.
    """

    explainer: str
    asked: str
    found: Explanation
    portion: int = 0


@runtime_checkable
class Kept(Protocol):
    """Somewhere that explanations are kept while others are being made."""

    def known(self, explainer: Explainer, of: str | int) -> Explanation | None:
        """What was kept of an explainer and a class; none where it was not."""
        ...

    def keep(self, explainer: Explainer, of: str | int, found: Explanation) -> None:
        """Keep what an explainer says of a class."""
        ...


def shown(asked: Asked, paths: Sequence[Path], *, shape: str = "", report: Report = silent) -> Shown:
    """The network at images that files hold; without files, at images of its data, of which `DRAWN` are drawn.

    `shape` is what images the network takes, as "3,32,32", where neither data nor the network tell.
    """
    if not paths:
        return _of_data(asked, shape, report)
    if asked.n is not None:
        raise ConfigError(f"--n {asked.n} draws images of the data, and image files are named; leave it out")
    of_data = asked.data is not None or is_run(asked.model)
    if of_data:
        _check_no_shape(shape)
    elif asked.skip_bad or asked.map is not None:
        raise ConfigError("--skip-bad and --map say how data are read, and none are named; give --data")
    network = network_of(asked) if says_its_images(asked) else None
    intake = common_intake([asked], [None if network is None else intake_of(network)])
    images: AskedData | None = None
    classes = intake.classes or None
    if of_data:
        images = data_of(asked, report, intake)
        size, classes = images.some.shape, classes or images.classes
    else:
        size = _shape(asked, shape, intake)
    network = network_of(asked, size, None if classes is None else len(classes)) if network is None else network
    # what a person says is the size of all that just covers it
    scaled = Intake(interpolation=intake.interpolation) if shape or asked.size is not None else intake
    found = data.pictures(paths, size, scaled)
    x = found.x.to(device_of(asked.device))
    outputs_of(
        network, data.TensorSplit(found.x[:1].to(x.device), torch.zeros(1, dtype=torch.int64), ("0",)), asked.model
    )
    logits = _logits(network, x)
    names = named_outputs(asked, intake, logits.shape[1])
    if images is not None and images.classes is not None:
        check_outputs(asked.model, logits.shape[1], images.source, images.classes)
        names = images.classes
    train = None if images is None else images.train
    return Shown(asked.model, network, x, found.names, names, logits, train, is_untrained(asked))


def fitted(
    explainer: Explainer,
    model: nn.Module,
    train: Split | None,
    *,
    seed: int = 0,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Explainer:
    """The explainer, shown training images if it learns from such; `watch` hears of each pass that this takes."""
    if not explainer.learns:
        return explainer
    if train is None:
        raise ConfigError(
            f"{config.kind_of(type(explainer))} learns from images of its own; "
            "give them with --data, in a folder 'train'"
        )
    some = train.take(LEARNED)
    (batch,) = some.batches(data.sequential(some, len(some)))
    places = [tensor.device for tensor in (*model.parameters(), *model.buffers())]
    x = batch.x.to(places[0] if places else batch.x.device)
    with counted(model, lambda so_far: watch(Progress("passes to learn", so_far.forwards, 0))):
        return explainer.fit(model, x, seed=seed)


def accounts(
    shown: Shown,
    of: Sequence[str | int],
    explainers: Mapping[str, Explainer],
    *,
    seed: int = 0,
    keeping: "Kept | None" = None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Account]:
    """Every explainer asked about every class, one after the other; `watch` hears what comes next, and of each pass.

    What is `keeping` goes on where it was stopped.

    Of many classes a portion comes after the other, each by all explainers.
    """
    own = max(1, shown.x.numel() * shown.x.element_size() * len(explainers))
    at_once = max(1, min(_ROWS // max(1, len(shown.x)), _BYTES // own))
    asked = [
        (first // at_once, name, word)
        for first in range(0, len(of), at_once)
        for name in explainers
        for word in of[first : first + at_once]
    ]
    images, classes = len(shown.x), shown.logits.shape[1]
    totals = {name: passes_to_explain(one, shown.x[:1], classes) for name, one in explainers.items()}

    def passed(name: str, next_: str) -> Callable[[Passes], None]:
        total = totals[name]
        return lambda so_far: watch(
            Progress("passes", so_far.forwards, 0 if total is None else images * total.forwards, next_)
        )

    for done, (portion, name, word) in enumerate(asked):
        next_ = f"{name}, {word}" if isinstance(word, str) else f"{name}, class {word}"
        watch(Progress("explaining", done, len(asked), next_))
        found = None if keeping is None else keeping.known(explainers[name], word)
        if found is None:
            began = time.monotonic()
            with counted(shown.model, passed(name, next_)):
                found = explainers[name](shown.model, shown.x, word, seed=seed)
            if keeping is not None and time.monotonic() - began > WORTH_KEEPING:
                keeping.keep(explainers[name], word, found)
        yield Account(name, str(word), found, portion)


def _of_data(asked: Asked, shape: str, report: Report) -> Shown:
    if asked.data is None and not is_run(asked.model):
        raise ConfigError(f"'{asked.model}' is no run, so it knows no images; name image files, or give --data")
    _check_no_shape(shape)
    subject = (asked if asked.n is not None else replace(asked, n=DRAWN)).subject(report=report)
    (batch,) = subject.split.batches(data.sequential(subject.split, len(subject.split)))
    names = tuple(f"{asked.split} image {number}" for number in batch.index.tolist())
    logits = _logits(subject.model, batch.x)
    classes, untrained = tuple(subject.split.classes), subject.untrained
    return Shown(asked.model, subject.model, batch.x, names, classes, logits, subject.train, untrained)


def _check_no_shape(shape: str) -> None:
    if shape:
        raise ConfigError(f"--shape {shape} is for networks without data, and the data tell theirs; leave it out")


def _logits(network: nn.Module, x: Tensor) -> Tensor:
    nothing = torch.zeros(len(x), dtype=torch.long, device=x.device)
    with frozen(network), torch.no_grad():
        parts = [
            in_halves_on_oom(lambda images: look(network, images.x), Batch.trusted(some, label, {}))
            for some, label in zip(x.split(_AT_ONCE), nothing.split(_AT_ONCE), strict=True)
        ]
    return torch.cat([logits for halves in parts for logits in halves]).cpu()


def _shape(asked: Asked, shape: str, intake: Intake) -> tuple[int, int, int]:
    """The shape that a person says, or else the network."""
    if asked.size is not None:
        if shape or intake.shape is None:
            raise ConfigError(
                f"--size {asked.size} says no channels, and neither does '{asked.model}'; give --shape alone, "
                "or --data"
            )
        return intake.shape[0], asked.size, asked.size
    if not shape and intake.shape is not None:
        return intake.shape
    sizes = shape.replace("x", ",").split(",")
    if len(sizes) != 3 or not all(re.fullmatch(r"\s*0*[1-9][0-9]{0,5}\s*", size) for size in sizes):
        given = f"'{shape}' is no shape" if shape else f"'{asked.model}' does not say what images it takes"
        raise ConfigError(f"{given}; give channels, height and width: --shape 3,32,32")
    channels, height, width = (int(size) for size in sizes)
    return channels, height, width

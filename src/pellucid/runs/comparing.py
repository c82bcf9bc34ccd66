"""Several networks on the same images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from pellucid import data, evaluate, models
from pellucid.config import Table
from pellucid.contained import reason
from pellucid.data import Data, Report, Split, StreamedSplit, sequential, silent
from pellucid.errors import ConfigError, NetworkError, ShapeError
from pellucid.looking import look
from pellucid.probe import frozen
from pellucid.runs.measuring import Subject, device_of, known_data, part_of, settings_of, sized


@dataclass(frozen=True, eq=False)
class _Images:
    source: str
    split: Split
    known: Data | None  # none where there are no labels


def subjects(
    names: Sequence[str],
    source: str | None = None,
    *,
    weights: str | None = None,
    options: Sequence[str] = (),
    part: str = "test",
    n: int | None = None,
    size: int | None = None,
    skip_bad: bool = False,
    seed: int = 0,
    device: str = "auto",
    download: bool = False,
    report: Report = silent,
) -> list[Subject]:
    """The networks of these names, all with the same images: those of `source`, or of the first run among them.

    A folder of pictures without folders of classes will do; what each network decides then stands for the labels. A
    network that does not take the images, or has other classes, is an error.
    """
    if weights is not None and len(names) > 1:
        raise ConfigError(
            f"{weights} are weights of one network, and {len(names)} are named; audit it alone, or name a run"
        )
    settings, place = settings_of(options), device_of(device)
    images = _images(names, source, part, size=size, skip_bad=skip_bad, download=download, report=report)
    split = images.split if n is None else evaluate.sample(images.split, n, seed=seed)
    split = split.to(place)
    found: list[Subject] = []
    for name in names:
        own = _sized(name, settings, images)
        network = models.load(name, weights=weights, options=own).to(place)
        outputs = outputs_of(network, split, name)
        if images.known is not None and outputs != len(split.classes):
            raise ShapeError(
                f"'{name}' tells {outputs} classes apart and '{images.source}' has {len(split.classes)}; "
                "take images of the classes that it has learned"
            )
        train = None if images.known is None else images.known.train
        random = models.untrained(name, weights=weights, options=own)
        subject = Subject(name, network, images.source, split, train, untrained=random)
        found.append(subject if images.known is not None else _by_itself(subject, outputs))
    return found


def outputs_of(network: nn.Module, split: Split, name: str) -> int:
    """How many classes a network tells apart, found by showing it one of the images."""
    if not len(split):
        raise ShapeError("there are no images to show the network; give one or more")
    (batch,) = split.take(1).batches(sequential(split.take(1), 1))
    shape = " x ".join(map(str, split.shape))
    try:
        with frozen(network), torch.no_grad():
            return look(network, batch.x).shape[1]
    except NetworkError as error:
        why = reason(error.__cause__) if error.__cause__ else str(error)
        raise ShapeError(f"'{name}' does not take images of {shape}: {why}") from error
    except ShapeError as error:
        raise ShapeError(str(error).replace("the network", f"'{name}'", 1)) from error


def _images(
    names: Sequence[str],
    source: str | None,
    part: str,
    *,
    size: int | None,
    skip_bad: bool,
    download: bool,
    report: Report,
) -> _Images:
    if not names:
        raise ConfigError("there is no network to audit; name one or more")
    if source is None:
        if size is not None or skip_bad:
            raise ConfigError("a run knows how its images are read; give --data to read others")
        runs = [name for name in names if (Path(name) / "spec.toml").is_file()]
        known, source = known_data((runs or names)[0], None, download=download, report=report)
        return _Images(source, part_of(known, part), known)
    if source not in data.DATA and data.is_flat(Path(source).expanduser()):
        place = Path(source).expanduser()
        return _Images(source, data.load_unlabeled(place, size=size, skip_bad=skip_bad, report=report), None)
    known = data.load(source, size=size, skip_bad=skip_bad, download=download, report=report)
    return _Images(source, part_of(known, part), known)


def _sized(name: str, settings: Table, images: _Images) -> Any:
    """A listed network takes the shape of the images, and their classes where they have any."""
    if images.known is not None:
        return sized(name, settings, images.known)
    return {"shape": list(images.split.shape)} | settings if name in models.MODELS else settings


def _by_itself(subject: Subject, outputs: int) -> Subject:
    """With what the network decides in place of labels that nobody has given."""
    split = subject.split
    assert isinstance(split, StreamedSplit), "flat folders are read from files"
    named = replace(split, classes=tuple(map(str, range(outputs))))
    predicted = evaluate.decide(subject.model, named).columns["predicted"].to(split.labels.device)
    return replace(subject, split=replace(named, labels=predicted), labeled=False)

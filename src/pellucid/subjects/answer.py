"""From the words of a question to networks and images."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from pellucid import data, evaluate, models
from pellucid.data import Data, Report, Split, StreamedSplit, sample
from pellucid.errors import ConfigError
from pellucid.runs.folder import RunFolder
from pellucid.runs.loading import shortened
from pellucid.subjects.asked import Asked
from pellucid.subjects.subject import Subject, check_outputs, outputs_of


@dataclass(frozen=True, eq=False)
class AskedData:
    """The data of a question and what they are called; `known` has their parts, if somebody has labeled them."""

    source: str
    whole: Split
    known: Data | None

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The classes of labeled images."""
        return None if self.known is None else self.known.test.classes

    def part(self, name: str) -> Split:
        """The images of a part by name, or of all of them."""
        if self.known is None:
            return self.whole
        known = self.known
        parts = {"test": known.test, "train": known.train, "validation": known.validation, "all": known.whole}
        found = parts[name]
        if found is None:
            reason = "has no validation images" if name == "validation" else "comes divided"
            raise ConfigError(f"'{known.name}' {reason}; measure on --split test")
        return found


def answer(asked: Sequence[Asked], report: Report, prepare: Callable[[Split], Split]) -> list[Subject]:
    """The networks of several questions that differ in the network only, with the same images."""
    first = asked[0]
    place, _ = device_of(first.device), first.settings
    images = data_of(next((one for one in asked if is_run(one.model)), first), report)
    split = prepare(images.part(first.split))
    split = split if first.n is None else sample(split, first.n, seed=first.seed)
    split = split.to(place)
    return [_subject(one, images, split) for one in asked]


def is_run(model: str) -> bool:
    """Whether a path is that of a run."""
    return (Path(model) / "spec.toml").is_file()


def data_of(asked: Asked, report: Report) -> AskedData:
    """The data that are named, or else those that a run was trained on."""
    source, size, skip_bad = asked.data, asked.size, asked.skip_bad
    if source is not None:
        if source not in data.DATA and data.is_flat(place := Path(source).expanduser()):
            return AskedData(source, data.load_unlabeled(place, size=size, skip_bad=skip_bad, report=report), None)
        known = data.load(source, size=size, skip_bad=skip_bad, download=asked.download, report=report)
        return AskedData(source, known.test, known)
    if size is not None or skip_bad:
        raise ConfigError("a run knows how its images are read; give --data to read others")
    if not is_run(asked.model):
        raise ConfigError(f"'{asked.model}' is no run, so it does not know its data; give --data")
    spec = RunFolder.open(Path(asked.model)).spec().data
    known = data.load(
        spec.source,
        root=Path(spec.root) if spec.root else None,
        size=spec.size or None,
        split_seed=spec.split_seed,
        skip_bad=spec.skip_bad,
        download=asked.download,
        report=report,
    )
    known = shortened(known, spec)
    return AskedData(spec.source, known.test, known)


def network_of(asked: Asked, shape: Sequence[int], classes: int | None = None) -> nn.Module:
    """The network; a listed one is made for images of this shape and so many classes, if not told otherwise."""
    settings = asked.settings
    if asked.model in models.MODELS:
        settings = {"shape": list(shape)} | ({} if classes is None else {"classes": classes}) | settings
    return models.load(asked.model, weights=asked.weights, options=settings).to(device_of(asked.device))


def is_untrained(asked: Asked) -> bool:
    """Whether the network is known to have learned nothing."""
    return models.untrained(asked.model, weights=asked.weights, options=asked.settings)


def device_of(name: str) -> torch.device:
    """A device by name; "auto" is an accelerator where there is one."""
    check_device(name)
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


def check_device(name: str) -> None:
    """Refuse an accelerator that is not there."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ConfigError("there is no CUDA device here; take --device cpu, or auto for the best there is")


def _subject(asked: Asked, images: AskedData, split: Split) -> Subject:
    classes = images.classes
    network = network_of(asked, split.shape, None if classes is None else len(classes))
    outputs = outputs_of(network, split, asked.model)
    train = None if images.known is None else images.known.train
    found = Subject(asked.model, network, images.source, split, train, untrained=is_untrained(asked))
    if classes is None:
        return _by_itself(found, outputs)
    check_outputs(asked.model, outputs, images.source, classes)
    return found


def _by_itself(subject: Subject, outputs: int) -> Subject:
    """With what the network decides in place of labels that nobody has given."""
    split = subject.split
    assert isinstance(split, StreamedSplit), "flat folders are read from files"
    named = replace(split, classes=tuple(map(str, range(outputs))))
    predicted = evaluate.decide(subject.model, named).columns["predicted"].to(split.labels.device)
    return replace(subject, split=replace(named, labels=predicted), labeled=False)

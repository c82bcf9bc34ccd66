"""From the words of a question to networks and images."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from pellucid import data, evaluate, models
from pellucid.class_names import check_count, shown_names
from pellucid.data import Data, Report, Split, StreamedSplit, TensorSplit, holdout, sample
from pellucid.errors import ConfigError, count_of
from pellucid.intake import Intake, intake_of
from pellucid.runs.folder import RunFolder
from pellucid.runs.loading import folders_of, shortened
from pellucid.subjects.asked import Asked
from pellucid.subjects.intakes import common_intake
from pellucid.subjects.subject import Subject, check_outputs, outputs_of

_SHARE = 0.15  # of the images of undivided folders, as training holds out


@dataclass(frozen=True, eq=False)
class AskedData:
    """The data of a question by their parts, and what they are called; `known` are data that can be trained on.

    `labeled` is whether somebody has labeled them, `named` whether a network has said what their classes are.
    """

    source: str
    parts: Mapping[str, Split]
    known: Data | None = None
    labeled: bool = True

    @classmethod
    def of(cls, source: str, known: Data) -> "AskedData":
        """What can be trained on."""
        parts = {"test": known.test, "train": known.train, "validation": known.validation, "all": known.whole}
        return cls(source, {name: part for name, part in parts.items() if part is not None}, known)

    @property
    def some(self) -> Split:
        """Images of any part."""
        return next(iter(self.parts.values()))

    @property
    def train(self) -> Split | None:
        """Images that networks learn from, where some are apart from the others."""
        return self.parts.get("train")

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The classes of labeled images."""
        return self.some.classes if self.labeled else None

    def part(self, name: str) -> Split:
        """The images of a part by name, or of all of them."""
        if not self.labeled:
            return self.some
        if name in self.parts:
            return self.parts[name]
        if "all" in self.parts and self.known is None:
            return self._undivided(name)
        if name == "test" and "validation" in self.parts:
            return self.parts["validation"]
        called = self.source if self.known is None else self.known.name
        reason = "comes divided" if name == "all" else f"has no {_OF_PART[name]} images"
        there = next(part for part in ("test", "validation", "train") if part in self.parts)
        raise ConfigError(f"'{called}' {reason}; measure on --split {there}")

    def _undivided(self, name: str) -> Split:
        """All images to test a network with that was trained on others; other parts are those of a training."""
        whole = self.parts["all"]
        if name == "test":
            return whole
        rest, _ = holdout(whole, _SHARE, 0)
        train, validation = holdout(rest, _SHARE / (1 - _SHARE), 0)
        return train if name == "train" else validation


_OF_PART = {"test": "test", "train": "training", "validation": "validation"}


def answer(asked: Sequence[Asked], report: Report, prepare: Callable[[Split], Split]) -> list[Subject]:
    """The networks of several questions that differ in the network only, with the same images."""
    first = asked[0]
    place, _ = device_of(first.device), first.settings
    source = next((one for one in asked if is_run(one.model)), first)
    check_data(source)
    # what a network says of its images is known before any is read
    made = [network_of(one) if says_its_images(one) else None for one in asked]
    intake = common_intake(asked, [None if network is None else intake_of(network) for network in made])
    images = data_of(source, report, intake)
    split = prepare(images.part(first.split))
    split = split if first.n is None else sample(split, first.n, seed=first.seed)
    split = _held(split, report).to(place)
    return [_subject(one, network, images, split, intake) for one, network in zip(asked, made, strict=True)]


def answer_for(network: nn.Module, asked: Asked, report: Report) -> Subject:
    """A network that is at hand, called as the question calls it, with the images that are asked for by name."""
    check_data(asked)
    intake = common_intake([asked], [intake_of(network)])
    images = data_of(asked, report, intake)
    split = images.part(asked.split)
    split = _held(split if asked.n is None else sample(split, asked.n, seed=asked.seed), report)
    place = next((tensor.device for tensor in (*network.parameters(), *network.buffers())), torch.device("cpu"))
    return replace(_subject(asked, network, images, split.to(place), intake), untrained=False)


def _held(split: Split, report: Report) -> Split:
    """The images in memory where they fit there, since they are looked at again and again."""
    fits = math.prod((len(split), *split.shape)) <= data.Decoding().memory
    return split.held(report) if isinstance(split, StreamedSplit) and fits else split


def is_run(model: str) -> bool:
    """Whether a path is that of a run."""
    return (Path(model) / "spec.toml").is_file()


def says_its_images(asked: Asked) -> bool:
    """Whether a network may say what images it takes: a listed one is made for any, and a run knows its data."""
    return asked.model not in models.MODELS and not is_run(asked.model)


def check_data(asked: Asked) -> None:
    """Refuse a question in which nothing says the images."""
    if asked.data is None and (asked.size is not None or asked.skip_bad):
        raise ConfigError("a run knows how its images are read; give --data to read others")
    if asked.data is None and not is_run(asked.model):
        raise ConfigError(f"'{asked.model}' is no run, so it does not know its data; give --data")


def data_of(asked: Asked, report: Report, intake: Intake = Intake()) -> AskedData:  # noqa: B008, a frozen value
    """The data that are named, or else those that a run was trained on, as a network takes them by its `intake`."""
    check_data(asked)
    source, size, skip_bad = asked.data, asked.size, asked.skip_bad
    mapping = {} if asked.map is None else data.read_map(asked.map)
    if source is not None:
        place = Path(source).expanduser()
        if source.startswith(data.HUGGING_FACE):
            parts = data.hugging_face_parts(source, intake, size=size, skip_bad=skip_bad, report=report)
            if intake.classes:
                parts = data.relabeled_parts(parts, source, intake, mapping)
            else:
                _check_no_map(asked)
            return AskedData(source, parts)
        if source not in data.DATA and data.is_flat(place):
            _check_no_map(asked)
            whole = data.load_unlabeled(place, intake, size=size, skip_bad=skip_bad, report=report)
            return AskedData(source, {"all": whole}, labeled=False)
        if data.has_class_folders(source) and (intake.classes or mapping or _for_a_look(place, asked.split)):
            parts = data.load_for(place, intake, mapping, size=size, skip_bad=skip_bad, report=report)
            return AskedData(source, parts)
        known = data.load(
            source,
            size=size,
            skip_bad=skip_bad,
            download=asked.download,
            decoding=data.Decoding(intake=intake),
            report=report,
        )
    else:
        spec = RunFolder.open(Path(asked.model)).spec().data
        known = data.load(
            spec.source,
            root=Path(spec.root) if spec.root else None,
            size=spec.size or None,
            split_seed=spec.split_seed,
            only=folders_of(spec),
            skip_bad=spec.skip_bad,
            download=asked.download,
            report=report,
        )
        known, source = shortened(known, spec), spec.source
    if intake.classes:
        known = data.relabeled_for(known, intake, mapping)
    else:
        _check_no_map(asked)
    return AskedData.of(source, known)


def _for_a_look(place: Path, part: str) -> bool:
    """Whether a folder has no images that a network could be trained on apart from others."""
    parts = data.places_of(place)
    if "all" in parts:
        return part == "all" and not data.can_be_divided(place)
    return "train" not in parts or len(parts) == 1


def _check_no_map(asked: Asked) -> None:
    if asked.map is not None:
        raise ConfigError(
            f"--map {asked.map} says which classes of the network folders are, and nobody says its classes, or the "
            "images have none; give --classes, or leave --map out"
        )


def network_of(asked: Asked, shape: Sequence[int] = (), classes: int | None = None) -> nn.Module:
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


def check_device(name: str, count: int = 1) -> None:
    """Refuse an accelerator that is not there, and more of them than there are."""
    there = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and not there:
        raise ConfigError("there is no CUDA device here; take --device cpu, or auto for the best there is")
    asked = max(count, int(name.removeprefix("cuda:")) + 1 if name.startswith("cuda:") else 1)
    if name != "cpu" and there and asked > there:
        found = f"there {'is' if there == 1 else 'are'} {count_of(there, 'CUDA device')} here"
        raise ConfigError(f"{found}, and {asked} are asked for; ask for {there} at most, or take --device cpu")


def named_outputs(asked: Asked, intake: Intake, outputs: int) -> tuple[str, ...]:
    """What the outputs of a network are called: by its own names, or by their numbers where nobody says them."""
    if not intake.classes:
        return tuple(map(str, range(outputs)))
    place = "what it says of itself" if asked.classes is None else f"'{asked.classes}'"
    check_count(intake.classes, outputs, asked.model, place)
    return shown_names(intake.classes)


def _subject(asked: Asked, made: nn.Module | None, images: AskedData, split: Split, intake: Intake) -> Subject:
    classes = images.classes
    count = len(intake.classes) or (None if classes is None else len(classes))
    network = network_of(asked, split.shape, count) if made is None else made
    outputs = outputs_of(network, split, asked.model)
    names = named_outputs(asked, intake, outputs)
    found = Subject(asked.model, network, images.source, split, images.train, untrained=is_untrained(asked))
    if classes is None:
        return _by_itself(found, names)
    check_outputs(asked.model, outputs, images.source, classes)
    return found


def _by_itself(subject: Subject, names: tuple[str, ...]) -> Subject:
    """With what the network decides in place of labels that nobody has given."""
    split = subject.split
    assert isinstance(split, TensorSplit | StreamedSplit), "images are loaded as one of these"
    named = replace(split, classes=names)
    predicted = evaluate.decide(subject.model, named).columns["predicted"].to(split.labels.device)
    return replace(subject, split=replace(named, labels=predicted), labeled=False)

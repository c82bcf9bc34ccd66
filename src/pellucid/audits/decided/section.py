"""What a network decides: accuracy by class, what is taken for what, and which images are which."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from pellucid.audits.decided.details import Details, OfClass
from pellucid.audits.finding import Finding
from pellucid.audits.section import Found, Headline, Section
from pellucid.page.album import Album
from pellucid.page.chart import Chart, Curve, Point
from pellucid.page.network import Network
from pellucid.page.numbers import ABSENT, Lack, Number, percent

Pairs = Mapping[tuple[str, str], int]

_MANY = 100  # classes, of which a person does not read what there is nothing to say of
_LARGEST = 25  # classes of a confusion matrix that a person still reads


@dataclass(frozen=True)
class ClassRow:
    """A class, and how often each network is right about it."""

    name: str
    numbers: tuple[Number | Lack, ...]


@dataclass(frozen=True)
class MistakeRow:
    """A class that is taken for another, by each network for how many images; none where others are more frequent."""

    name: str
    taken_for: str
    images: tuple[int | None, ...]


@dataclass(frozen=True)
class ConfusionCell:
    """The number of images of a class that are taken for another, and how many in a hundred of its images."""

    images: int
    percent: int


@dataclass(frozen=True)
class Confusion:
    """What a network takes the images of each class (a row) for (a column)."""

    network: Network
    classes: tuple[str, ...]
    rows: tuple[tuple[ConfusionCell, ...], ...]

    @property
    def tall(self) -> bool:
        """Whether names over columns have to be turned on their side."""
        return max(map(len, self.classes)) > 2


@dataclass(frozen=True)
class Shown:
    """The tables of a part that looked at all images; of very many classes those without an image are counted."""

    classes: tuple[ClassRow, ...]
    without_image: int
    mistakes: tuple[MistakeRow, ...]
    confusions: tuple[Confusion, ...]


@final
class DecidedSection(Section[Details]):
    """Tables of classes and mistakes, and the chart of right against sure."""

    details = Details
    answers = ("accuracy",)

    def shown(self, found: Found[Details], album: Album) -> Shown:
        """The tables of classes, mistakes and confusions, network beside network."""
        own = [(finding.details if finding else Details()) for finding in found.findings]
        confusions = [
            _confusion(network, details)
            for network, details in zip(found.networks, own, strict=True)
            if details.confusion and len(details.confusion) <= _LARGEST
        ]
        classes = tuple(_classes(own))
        seen = tuple(row for row in classes if any(isinstance(number, Number) for number in row.numbers))
        shown = classes if len(classes) <= _MANY else seen
        return Shown(shown, len(classes) - len(shown), tuple(_mistakes(own)), tuple(confusions))

    def charts(self, found: Found[Details]) -> Sequence[Chart]:
        """Whether it is right as often as it is sure."""
        curves = tuple(
            Curve(network, tuple(Point(one.confidence, one.value, one.low, one.high) for one in details.reliability))
            for network, details in found.details
            if details.reliability
        )
        if not curves:
            return ()
        title, id = "Whether it is right as often as it is sure", f"chart-{found.number}-sure"
        return [Chart(id, title, "confidence", "share of images that are right", curves, diagonal=True)]

    def headlines(self, finding: Finding) -> Iterator[Headline]:
        """Accuracy, and by how much confidence is wrong."""
        for figure in finding.figures:
            estimate, clause = figure.estimate, ""
            if figure.name == "accuracy":
                if estimate:
                    clause = f"gets {percent(estimate.value)} of {estimate.n:,} images right"
                yield Headline("accuracy", clause, figure)
            if figure.name == "calibration_error":
                if estimate:
                    clause = f"its confidence is off by {100 * estimate.value:.1f} points on average"
                yield Headline("calibration", clause, figure)


def _classes(details: Sequence[Details]) -> Iterator[ClassRow]:
    # names may repeat, so classes are told apart by their place
    for place in range(max((len(own.classes) for own in details), default=0)):
        own = [entry.classes[place] if place < len(entry.classes) else None for entry in details]
        yield ClassRow(next(entry.name for entry in own if entry), tuple(map(_accuracy, own)))


def _accuracy(entry: OfClass | None) -> Number | Lack:
    if entry is None:
        return ABSENT
    return Number.written(entry.accuracy, share=True) if entry.accuracy else Lack(entry.note)


def _mistakes(details: Sequence[Details]) -> list[MistakeRow]:
    pairs = dict.fromkeys(pair for own in details for pair in _most(own))
    counts = [_all(own) or _most(own) for own in details]
    rows = [MistakeRow(pair[0], pair[1], tuple(own.get(pair) for own in counts)) for pair in pairs]
    return sorted(rows, key=lambda row: -max(images or 0 for images in row.images))


def _most(details: Details) -> Pairs:
    """The mistakes that are made most often."""
    return {(one.name, one.taken_for): one.images for one in details.mistakes}


def _all(details: Details) -> Pairs:
    """Every pair of classes; none where there are too many, or where two have one name."""
    names = [entry.name for entry in details.classes]
    if len(set(names)) < len(names):
        return {}
    confusion = enumerate(details.confusion)
    return {(names[row], names[column]): n for row, own in confusion for column, n in enumerate(own)}


def _confusion(network: Network, details: Details) -> Confusion:
    rows = tuple(
        tuple(ConfusionCell(images, round(100 * images / max(sum(row), 1))) for images in row)
        for row in details.confusion
    )
    return Confusion(network, tuple(entry.name for entry in details.classes), rows)

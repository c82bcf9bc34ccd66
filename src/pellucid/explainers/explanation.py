"""What an explainer gives: maps, what they are about, and what has to be known about them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.batch import count_and_shape, listed

Images = Float[Tensor, "b *shape"]
Classes = Int[Tensor, " b"]

_WHOLE = "the whole image is as the baseline already: the map says nothing"
_FLAG = "the map is "
_WORTH_SAYING = 0.0005  # of what is due; a smaller loss is not seen in a map
_SEEN = 0.005  # of an image; a smaller share is 0 % in words


@dataclass(frozen=True, eq=False)
class Completeness:
    """The sum of each image's map beside what it is due to be: of a map that nothing got lost from, the same.

    For LRP that is the logit; for a map that starts from a baseline, how far the logit rises from there.
    """

    total: Float[Tensor, " b"]
    due: Float[Tensor, " b"]

    @property
    def gap(self) -> Float[Tensor, " b"]:
        """What the map adds up to beyond what is due; of a complete map it is 0."""
        return self.total - self.due

    @property
    def lost(self) -> list[float | None]:
        """Which part of what is due each map lacks, below 0 where it has too much; none where nothing is due."""
        pairs = zip(self.total.tolist(), self.due.tolist(), strict=True)
        return [1 - total / due if due else None for total, due in pairs]


@dataclass(frozen=True, eq=False)
class Remark:
    """What has to be known about the maps of some images, in words; `about` says of which."""

    text: str
    about: Bool[Tensor, " b"]


@dataclass(frozen=True, eq=False)
class Explanation:
    """A map for each image, signed and as long as it came out, and the class that it is about.

    `image` is there where an explanation is an image of its own: the one that its map leads to. It may leave [0, 1].
    `notes` are what has to be known about each image's map: that it is empty, or that the method did nothing here.
    `completeness` is there where the maps should add up to something, and `idle` where they start from a baseline:
    the share of each image that is as the baseline already. Maps with a graph come without any of them.
    """

    map: Images
    of: Classes
    image: Images | None = None
    notes: tuple[tuple[str, ...], ...] = ()
    completeness: Completeness | None = None
    idle: Float[Tensor, " b"] | None = None

    def __repr__(self) -> str:
        noted = sum(map(bool, self.notes))
        about = f", notes on {noted}" if noted else ""
        return f"Explanation({count_and_shape(self.map, 'map')}, of the classes {listed(self.of.tolist())}{about})"

    @property
    def flagged(self) -> Bool[Tensor, " b"]:
        """Which maps are zero, the same everywhere, no more than rounding, or the map of a simpler method."""
        return torch.tensor([any(note.startswith(_FLAG) for note in own) for own in self.notes], dtype=torch.bool)

    def in_short(self, number: int) -> tuple[str, ...]:
        """What is written under a map: its sum, and how much of the image could not count."""
        share = 0.0 if self.idle is None else float(self.idle[number])
        return (*self.sum_in_words(number), *((f"{share:.0%} as the baseline",) if share >= _SEEN else ()))

    def sum_in_words(self, number: int) -> tuple[str, ...]:
        """What a map adds up to beside what it should, in short lines; none where the method promises none."""
        if self.completeness is None:
            return ()
        lost = self.completeness.lost[number]
        first = (
            f"adds up to {float(self.completeness.total[number]):.3g} of {float(self.completeness.due[number]):.3g}"
        )
        return (first,) if lost is None or abs(lost) < _WORTH_SAYING else (first, loss_in_words(lost))

    @classmethod
    def joined(cls, parts: "Sequence[Explanation]") -> "Explanation":
        """One explanation of all images; parts are of one explainer."""
        if len(parts) == 1:
            return parts[0]
        ends = [part.image for part in parts if part.image is not None]
        sums = [part.completeness for part in parts if part.completeness is not None]
        idle = [part.idle for part in parts if part.idle is not None]
        complete = None
        if sums:
            complete = Completeness(torch.cat([one.total for one in sums]), torch.cat([one.due for one in sums]))
        return cls(
            torch.cat([part.map for part in parts]),
            torch.cat([part.of for part in parts]),
            torch.cat(ends) if ends else None,
            tuple(notes for part in parts for notes in part.notes),
            complete,
            torch.cat(idle) if idle else None,
        )


def notes(remarks: Sequence[Remark], maps: Images) -> tuple[tuple[str, ...], ...]:
    """The remarks about each image; of a map that is empty or even, that it is so, unless a remark says why."""
    places = maps.detach().flatten(2) if maps.dim() > 2 else maps.detach().flatten(1)[:, None]
    zero = ~places.flatten(1).any(1)
    even = (places == places[..., :1]).flatten(1).all(1) & (places.shape[-1] > 1)
    remarked = [(remark.text, remark.about.tolist()) for remark in remarks]
    found: list[tuple[str, ...]] = []
    for number, (is_zero, is_even) in enumerate(zip(zero.tolist(), even.tolist(), strict=True)):
        own = tuple(text for text, about in remarked if about[number])
        plain = "the map is zero everywhere" if is_zero else "the map is the same at every pixel" if is_even else ""
        said = not plain or _WHOLE in own or any(text.startswith(plain) for text in own)
        found.append(own if said else (plain, *own))
    return tuple(found)


def about_idle(shares: Float[Tensor, " b"]) -> tuple[Remark, Remark]:
    """What has to be known where most of an image, or all of it, is as the baseline already."""
    return (
        Remark("half of the image or more is as the baseline already: what is there cannot show", _most(shares)),
        Remark(_WHOLE, shares == 1),
    )


def _most(shares: Tensor) -> Tensor:
    return (shares >= 0.5) & (shares < 1)


def loss_in_words(lost: float) -> str:
    """A part of what was due, in words."""
    if abs(lost) < _WORTH_SAYING:
        return "nothing lost"
    return f"{lost:.1%} lost" if lost > 0 else f"{-lost:.1%} too much"


def notes_in_words(notes: Sequence[Sequence[str]], lost: Sequence[float | None]) -> list[str]:
    """What was noted of several maps, and of how many; and how much of what they are due to add up to is lost."""
    counts = Counter(note for own in notes for note in own)
    lines = [f"{count} of {len(notes)} maps: {note}" for note, count in counts.items()]
    losses = sorted(loss for loss in lost if loss is not None)
    if losses:
        least, most = loss_in_words(losses[0]), loss_in_words(losses[-1])
        span = least if least == most else f"{least} to {most}"
        lines.append(f"{len(losses)} of {len(lost)} maps: of what a map should add up to, {span}")
    return lines

"""Images with all that was made of them, network beside network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import final

from pellucid.audits.gallery.details import Details, OfAttacked, OfImage, OfMap, OfStep
from pellucid.audits.section import Found, Section
from pellucid.page.album import Album, Map, Picture
from pellucid.page.network import Network
from pellucid.page.numbers import percent, plain
from pellucid.page.words import legends


@dataclass(frozen=True)
class Step:
    """What an image looks like on its way to a class, so far from where it began."""

    rho: str
    value: float
    picture: Picture
    probability: str


@dataclass(frozen=True)
class Strip:
    """The way to a class."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Says:
    """What a network takes an image for, and how sure it is of that, in words."""

    predicted: str
    sure: str


@dataclass(frozen=True)
class AfterAttack:
    """The image after an attack, with maps of what the network says then."""

    says: Says
    maps: tuple[Map, ...]


@dataclass(frozen=True)
class Look:
    """How one network sees an image."""

    network: Network
    says: Says
    right: bool | None
    maps: tuple[Map, ...]
    strips: tuple[Strip, ...]
    attacked: AfterAttack | None


@dataclass(frozen=True)
class Entry:
    """An image, why it is shown, and how every network that shows it sees it."""

    index: int
    label: str
    why: tuple[str, ...]
    looks: tuple[Look, ...]

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """The budgets where the slider can stand."""
        steps = (step for look in self.looks for strip in look.strips for step in strip.steps)
        return tuple(sorted({step.value: step.rho for step in steps}.items()))


@dataclass(frozen=True)
class Missing:
    """An explainer that has no maps of a network, and why."""

    network: Network
    explainer: str
    reason: str


@dataclass(frozen=True)
class Shown:
    """The images of a part, which maps they lack, and what colors say."""

    entries: tuple[Entry, ...]
    lacking: tuple[Missing, ...]
    legends: tuple[str, ...]


@final
class GallerySection(Section[Details]):
    """Pictures of images, their maps, and the ways to other classes."""

    details = Details
    place = "pictures"
    lead = (
        "The pictures under a class show what would make the network surer of it; \N{GREEK SMALL LETTER RHO} is how "
        "far the image may move for that."
    )

    def shown(self, found: Found[Details], album: Album) -> Shown:
        """Image by image, those that were chosen first."""
        images: dict[int, list[tuple[Network, OfImage]]] = {}
        for network, details in found.details:
            for image in details.images:
                images.setdefault(image.index, []).append((network, image))
        entries = [_entry(index, seen, album) for index, seen in images.items()]
        lacking = tuple(
            Missing(network, explainer, reason)
            for network, details in found.details
            for explainer, reason in details.missing.items()
        )
        return Shown(tuple(sorted(entries, key=_unchosen)), lacking, tuple(legends(_said(images.values()))))


def _said(found: Iterable[Sequence[tuple[Network, OfImage]]]) -> dict[str, str]:
    """What each explainer's colors say, as it has said so itself."""
    maps = ((name, map) for seen in found for _, image in seen for name, map in image.maps.items())
    return {name: map.legend for name, map in maps if map.legend}


def _unchosen(entry: Entry) -> bool:
    return not any(why.startswith("chosen") for why in entry.why)


def _entry(index: int, seen: Sequence[tuple[Network, OfImage]], album: Album) -> Entry:
    why = tuple(dict.fromkeys(image.why for _, image in seen if image.why))
    label = next((image.label for _, image in seen if image.label is not None), "")
    return Entry(index, label, why, tuple(_look(network, image, album) for network, image in seen))


def _look(network: Network, image: OfImage, album: Album) -> Look:
    name = f"image {image.index}"
    own = album.picture(network.root, image.picture, name)
    maps = [Map("image", own), *_maps(network, image.maps, name, album)]
    attacked = None
    if after := image.attacked:
        of = f"{name}, attacked"
        picture = Map("attacked", album.picture(network.root, after.picture, of))
        attacked = AfterAttack(_after(after), (picture, *_maps(network, after.maps, of, album)))
    strips = [
        Strip(target, tuple(_step(network, step, f"{name} toward {target}", album) for step in steps))
        for target, steps in image.toward.items()
        if steps
    ]
    says = Says(image.predicted, _sure(image.confidence))
    return Look(network, says, image.right, tuple(maps), tuple(strips), attacked)


def _maps(network: Network, maps: Mapping[str, OfMap], name: str, album: Album) -> Iterator[Map]:
    for explainer, map in maps.items():
        sign = "" if map.signed else " without signs"
        picture = album.picture(network.root, map.picture, f"{name}, map by {explainer}{sign}")
        scale = [f"1 = {plain(map.scale)}"] if map.scale is not None else []
        yield Map(explainer, picture, "; ".join((*scale, *map.about)))


def _step(network: Network, step: OfStep, name: str, album: Album) -> Step:
    rho = f"{step.rho:g}"
    picture = album.picture(network.root, step.picture, f"{name}, \N{GREEK SMALL LETTER RHO} {rho}")
    words = "" if step.probability is None else percent(step.probability)
    return Step(rho, step.rho, picture, words if step.reached else f"{words}, not the likeliest")


def _after(attacked: OfAttacked) -> Says:
    far = "" if attacked.distance is None else f", at distance {plain(attacked.distance)}"
    return Says(attacked.predicted, f"{_sure(attacked.confidence)}{far}")


def _sure(confidence: float | None) -> str:
    return "" if confidence is None else f", {percent(confidence)}"

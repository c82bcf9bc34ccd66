"""Images with all that was made of them, network beside network."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pellucid.reports.legend import legends
from pellucid.reports.page.album import Album, Picture
from pellucid.reports.page.numbers import percent, plain
from pellucid.reports.page.read import Audit, Network


@dataclass(frozen=True)
class Map:
    """A picture with what is written over and under it."""

    heading: str
    picture: Picture
    note: str = ""


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
class Attacked:
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
    attacked: Attacked | None


@dataclass(frozen=True)
class Entry:
    """An image, why it is shown, and how every network that shows it sees it."""

    index: int
    label: str
    why: tuple[str, ...]
    looks: tuple[Look, ...]

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """Where the slider can stand."""
        steps = (step for look in self.looks for strip in look.strips for step in strip.steps)
        return tuple(sorted({step.value: step.rho for step in steps}.items()))


@dataclass(frozen=True)
class Lack:
    """An explainer that has no maps of a network, and why."""

    network: Network
    explainer: str
    reason: str


@dataclass(frozen=True)
class Gallery:
    """The images of a part, which maps they lack, and what colors say."""

    part: str
    entries: tuple[Entry, ...]
    lacking: tuple[Lack, ...]
    legends: tuple[str, ...]


def gallery(audit: Audit, part: str, album: Album) -> Gallery:
    """Image by image, those that were chosen first."""
    found: dict[int, list[tuple[Network, Mapping[str, Any]]]] = {}
    for network in audit.networks:
        for image in network.details(part).get("images", ()):
            found.setdefault(int(image["index"]), []).append((network, image))
    entries = [_entry(index, seen, album) for index, seen in found.items()]
    lacking = tuple(
        Lack(network, str(explainer), str(reason))
        for network in audit.networks
        for explainer, reason in (network.details(part).get("missing") or {}).items()
    )
    return Gallery(part, tuple(sorted(entries, key=_unchosen)), lacking, tuple(legends(_said(found.values()))))


def _said(found: Iterable[Sequence[tuple[Network, Mapping[str, Any]]]]) -> dict[str, str]:
    """What each explainer's colors say, as it has said so itself."""
    maps = ((name, map) for seen in found for _, image in seen for name, map in (image.get("maps") or {}).items())
    return {str(name): str(map["legend"]) for name, map in maps if map.get("legend")}


def _unchosen(entry: Entry) -> bool:
    return not any(why.startswith("chosen") for why in entry.why)


def _entry(index: int, seen: Sequence[tuple[Network, Mapping[str, Any]]], album: Album) -> Entry:
    why = tuple(dict.fromkeys(str(image["why"]) for _, image in seen if image.get("why")))
    label = next((str(image["label"]) for _, image in seen if image.get("label") is not None), "")
    return Entry(index, label, why, tuple(_look(network, image, album) for network, image in seen))


def _look(network: Network, image: Mapping[str, Any], album: Album) -> Look:
    name = f"image {image['index']}"
    own = album.picture(network.root, image["picture"], name)
    maps = [Map("image", own), *_maps(network, image, name, album)]
    attacked = None
    if after := image.get("attacked"):
        picture = album.picture(network.root, after["picture"], f"{name}, attacked")
        says = _says(after)
        attacked = Attacked(says, (Map("attacked", picture), *_maps(network, after, f"{name}, attacked", album)))
    strips = [
        Strip(str(target), tuple(_step(network, step, f"{name} toward {target}", album) for step in steps))
        for target, steps in (image.get("toward") or {}).items()
        if steps
    ]
    return Look(network, _says(image), image.get("right"), tuple(maps), tuple(strips), attacked)


def _maps(network: Network, image: Mapping[str, Any], name: str, album: Album) -> Iterator[Map]:
    for explainer, map in (image.get("maps") or {}).items():
        sign = "" if map.get("signed", True) else " without signs"
        picture = album.picture(network.root, map["picture"], f"{name}, map by {explainer}{sign}")
        scale = [f"1 = {plain(map['scale'])}"] if map.get("scale") is not None else []
        yield Map(str(explainer), picture, "; ".join((*scale, *map.get("about", ()))))


def _step(network: Network, step: Mapping[str, Any], name: str, album: Album) -> Step:
    rho = f"{step['rho']:g}"
    picture = album.picture(network.root, step["picture"], f"{name}, \N{GREEK SMALL LETTER RHO} {rho}")
    sure = step.get("probability")
    words = "" if sure is None else percent(sure)
    return Step(
        rho, float(step["rho"]), picture, words if step.get("reached", True) else f"{words}, not the likeliest"
    )


def _says(image: Mapping[str, Any]) -> Says:
    sure, distance = image.get("confidence"), image.get("distance")
    words = "" if sure is None else f", {percent(sure)}"
    words += "" if distance is None else f", at distance {plain(distance)}"
    return Says(str(image["predicted"]), words)

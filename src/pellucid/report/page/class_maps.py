"""What matters for each class, network beside network."""

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.report.page.album import Album
from pellucid.report.page.gallery import Map
from pellucid.report.page.numbers import plain
from pellucid.report.page.read import Audit, Network


@dataclass(frozen=True)
class Classes:
    """The maps of a network's classes, and how they were made."""

    network: Network
    maps: tuple[Map, ...]
    made: str


@dataclass(frozen=True)
class ClassMaps:
    """The maps of a part."""

    part: str
    networks: tuple[Classes, ...]


def class_maps(audit: Audit, part: str, album: Album) -> ClassMaps:
    """Every map of every network that has some."""
    found: list[Classes] = []
    for network in audit.networks:
        details = network.details(part)
        maps = [
            Map(str(name), album.picture(network.root, picture, f"what matters for {name}"))
            for name, picture in (details.get("classes") or {}).items()
        ]
        explainer = details.get("explainer")
        explainer = explainer.get("kind") if isinstance(explainer, Mapping) else explainer
        words = [f"by {explainer}"] if explainer else []
        words += [f"from {details['images']} images"] if isinstance(details.get("images"), int) else []
        scale = details.get("scale")
        words += [f"the darkest is {plain(scale)}"] if isinstance(scale, int | float) else []
        if maps:
            found.append(Classes(network, tuple(maps), ", ".join(words)))
    return ClassMaps(part, tuple(found))

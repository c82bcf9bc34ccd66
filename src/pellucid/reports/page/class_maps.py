"""What matters for each class, network beside network."""

from collections.abc import Mapping
from dataclasses import dataclass

from pellucid.reports.page.album import Album, Picture
from pellucid.reports.page.gallery import Map
from pellucid.reports.page.numbers import plain
from pellucid.reports.page.read import Audit, Network

_MOST = 20  # classes that are missing and have a place of their own; of more their number stands there


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
        missing = {str(name): str(why) for name, why in (details.get("missing") or {}).items()}
        shown = dict(list(missing.items())[: _MOST if len(missing) <= _MOST or not maps else 0])
        maps += [Map(name, Picture(f"what matters for {name}", lack=why)) for name, why in shown.items()]
        explainer = details.get("explainer")
        explainer = explainer.get("kind") if isinstance(explainer, Mapping) else explainer
        words = [f"by {explainer}"] if explainer else []
        words += [f"from {details['images']} images"] if isinstance(details.get("images"), int) else []
        scale = details.get("scale")
        words += [f"the darkest is {plain(scale)}"] if isinstance(scale, int | float) else []
        fit = details.get("adjusted_r2")
        words += [f"linear models account for {fit:.0%} (adjusted R²)"] if isinstance(fit, float) else []
        words = [", ".join(words), *map(str, details.get("notes") or ())]
        if len(missing) > len(shown):
            more = len(missing) - len(shown)
            words.append(f"of {more} more classes nothing is known: {next(iter(missing.values()))}")
        if maps:
            found.append(Classes(network, tuple(maps), "; ".join(words)))
    return ClassMaps(part, tuple(found))

"""What matters for each class, network beside network."""

from dataclasses import dataclass
from typing import final

from pellucid.audits.class_maps.details import Details
from pellucid.audits.section import Found, Section
from pellucid.page.album import Album, Map, Picture
from pellucid.page.network import Network
from pellucid.page.numbers import plain

_MOST = 20  # classes that are missing and have a place of their own; of more their number stands there


@dataclass(frozen=True)
class Classes:
    """The maps of a network's classes, and how they were made."""

    network: Network
    maps: tuple[Map, ...]
    made: str


@final
class ClassMapsSection(Section[Details]):
    """A map for each class."""

    details = Details
    place = "pictures"

    def heading(self, name: str) -> str:
        """The part's name, with what the maps say."""
        return f"{name}: what matters for each class"

    def shown(self, found: Found[Details], album: Album) -> tuple[Classes, ...]:
        """Every map of every network that has some."""
        classes = [_classes(network, details, album) for network, details in found.details]
        return tuple(own for own in classes if own.maps)


def _classes(network: Network, details: Details, album: Album) -> Classes:
    maps = [
        Map(name, album.picture(network.root, picture, f"what matters for {name}"))
        for name, picture in details.classes.items()
    ]
    missing = details.missing
    shown = dict(list(missing.items())[: _MOST if len(missing) <= _MOST or not maps else 0])
    maps += [Map(name, Picture(f"what matters for {name}", lack=why)) for name, why in shown.items()]
    made = [f"by {details.explainer}", f"from {details.images} images", f"the darkest is {plain(details.scale)}"]
    fit = details.adjusted_r2
    made += [] if fit is None else [f"linear models account for {fit:.0%} (adjusted R²)"]
    words = [", ".join(made), *details.notes]
    if len(missing) > len(shown):
        more = len(missing) - len(shown)
        words.append(f"of {more} more classes nothing is known: {next(iter(missing.values()))}")
    return Classes(network, tuple(maps), "; ".join(words))

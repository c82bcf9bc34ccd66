"""What single neurons answer to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pellucid.reports.page.album import Album, Picture
from pellucid.reports.page.numbers import percent, plain
from pellucid.reports.page.read import Audit, Network


@dataclass(frozen=True)
class Neuron:
    """A neuron: how consistent the images are that activate it most, which class most are of, and pictures."""

    number: str
    level: str
    level_value: float
    name: str
    share: str
    share_value: float
    picture: Picture | None


@dataclass(frozen=True)
class Layer:
    """Some of a layer's neurons."""

    network: Network
    name: str
    count: int
    neurons: tuple[Neuron, ...]

    @property
    def pictures(self) -> bool:
        """Whether any neuron has one."""
        return any(neuron.picture for neuron in self.neurons)


@dataclass(frozen=True)
class Neurons:
    """The layers of a part."""

    part: str
    layers: tuple[Layer, ...]


def neurons(audit: Audit, part: str, album: Album) -> Neurons:
    """Layer by layer, each network's beside the other's."""
    found = [
        (place, _layer(network, str(name), layer, album))
        for network in audit.networks
        for place, (name, layer) in enumerate((network.details(part).get("layers") or {}).items())
    ]
    return Neurons(part, tuple(layer for _, layer in sorted(found, key=lambda pair: pair[0])))


def _layer(network: Network, name: str, layer: Mapping[str, Any], album: Album) -> Layer:
    return Layer(network, name, int(layer["neurons"]), tuple(_neuron(network, row, album) for row in layer["table"]))


def _neuron(network: Network, row: Mapping[str, Any], album: Album) -> Neuron:
    name = str(row["neuron"])
    picture = row.get("picture")
    level, share = float(row.get("level") or 0), float(row.get("share") or 0)
    return Neuron(
        name,
        plain(level),
        level,
        str(row.get("class", "")),
        percent(share),
        share,
        album.picture(network.root, picture, f"images that activate neuron {name} most") if picture else None,
    )

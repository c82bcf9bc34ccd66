"""What single neurons answer to."""

from dataclasses import dataclass
from typing import final

from pellucid.audits.neurons.details import Details, OfLayer, OfNeuron
from pellucid.audits.section import Found, Section
from pellucid.page.album import Album, Picture
from pellucid.page.network import Network
from pellucid.page.numbers import percent, plain


@dataclass(frozen=True)
class Neuron:
    """A neuron: how consistent the images are that activate it most, which class most are of, and pictures."""

    number: str
    level: str
    level_value: float
    name: str
    share: str
    share_value: float
    picture: Picture


@dataclass(frozen=True)
class LayerRow:
    """Some of a layer's neurons."""

    network: Network
    name: str
    count: int
    neurons: tuple[Neuron, ...]


@final
class Layers(Section[Details]):
    """A table of the most and the least consistent neurons of each layer, with pictures."""

    details = Details

    def shown(self, found: Found[Details], album: Album) -> tuple[LayerRow, ...]:
        """Layer by layer, each network's beside the other's."""
        layers = [
            (place, _layer(network, name, layer, album))
            for network, details in found.details
            for place, (name, layer) in enumerate(details.layers.items())
        ]
        return tuple(layer for _, layer in sorted(layers, key=lambda pair: pair[0]))


def _layer(network: Network, name: str, layer: OfLayer, album: Album) -> LayerRow:
    return LayerRow(network, name, layer.neurons, tuple(_neuron(network, row, album) for row in layer.table))


def _neuron(network: Network, row: OfNeuron, album: Album) -> Neuron:
    name = str(row.neuron)
    picture = album.picture(network.root, row.picture, f"images that activate neuron {name} most")
    return Neuron(name, plain(row.level), row.level, row.name, percent(row.share), row.share, picture)

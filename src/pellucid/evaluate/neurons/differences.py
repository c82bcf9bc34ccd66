"""How much of a prediction goes without each neuron."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.explainers.room import full_pass
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.probe import Probe, frozen

Onward = Callable[[Tensor, Tensor], Tensor]
"""From rows of the images and the neuron to silence in each, to logits."""


def prediction_differences(
    model: nn.Module, images: Batch, layer: str, of: Int[Tensor, " b"]
) -> Float[Tensor, "b neurons"]:
    """The probability of a class less what it is with a neuron's output set to zero, for each neuron of a layer.

    Neurons that say zero already make no difference, and cost nothing. Each of the others costs the image a pass of
    the layers that follow where the network is an `nn.Sequential` of which the layer is a part, and else of all
    layers. In double precision, from the probability of all other classes, so that sure predictions have
    differences too.
    """
    with frozen(model), torch.no_grad():
        probe = Probe(model, images, second_order=False, layers=(layer,))
        whole, features = _others(probe.logits, of), probe.features(layer)
        speaking = (features.flatten(2) != 0).any(2) if features.dim() > 2 else features != 0
        found = torch.zeros(speaking.shape, dtype=torch.float64, device=features.device)
        with _onward(model, images.x, features, layer) as onward:
            for pairs in speaking.nonzero().split(full_pass(features.device)):
                rows, neurons = pairs.unbind(1)
                found[rows, neurons] = _others(onward(rows, neurons), of[rows]) - whole[rows]
        return found


@contextmanager
def _onward(model: nn.Module, x: Tensor, features: Tensor, layer: str) -> Generator[Onward]:
    names = [name for name, _ in model.named_children()]
    if isinstance(model, nn.Sequential) and type(model).forward is nn.Sequential.forward and layer in names:
        following = model[names.index(layer) + 1 :]
        yield lambda rows, neurons: look(following, _silenced(features[rows], neurons))
        return
    silent: list[Tensor] = []

    def silence(_module: nn.Module, _inputs: object, output: Tensor) -> Tensor:
        return _silenced(output.clone(), silent[-1])

    def passed(rows: Tensor, neurons: Tensor) -> Tensor:
        silent[:] = [neurons]
        return look(model, x[rows])

    with hooked([model.get_submodule(layer)], silence):
        yield passed


def _silenced(features: Tensor, neurons: Tensor) -> Tensor:
    features[torch.arange(len(features), device=features.device), neurons] = 0
    return features


def _others(logits: Float[Tensor, "n classes"], of: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
    """The probability of all classes but one."""
    logits = logits.double()
    others = logits.scatter(1, of[:, None], -torch.inf)
    return torch.exp(others.logsumexp(1) - logits.logsumexp(1))

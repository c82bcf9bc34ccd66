"""Which neurons predictions rest on, for real images and for attacked ones."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.data import Split
from pellucid.evaluate.neurons.attacked import Leading
from pellucid.evaluate.neurons.observing import column_of, examinable, observing_description
from pellucid.explainers.room import full_pass
from pellucid.hooks import hooked
from pellucid.ledger import (
    Job,
    Table,
    by_images,
    check_unchanged,
    fingerprint,
    in_chunks,
    stored,
)
from pellucid.looking import look
from pellucid.probe import Probe, frozen

_Onward = Callable[[Tensor, Tensor], Tensor]
"""From rows of the images and the neuron to silence in each, to logits."""


def traces(
    model: nn.Module,
    split: Split,
    layers: Sequence[str],
    leading: Leading | None = None,
    *,
    folder: Path | None = None,
    job: Job = Job(),
) -> Table:
    """A row per image, and with `leading` one more for the image led to its first target.

    Under `at LAYER` is how much of the prediction's probability goes without each neuron. `attacked` tells rows
    apart, and `counted` says where the attack succeeded; real images count.
    """
    about = observing_description(model, split, layers, "max") | {"traces": True}
    if leading is not None:
        about |= leading.about(len(split.classes))
    model = examinable(model, split)
    looked_at = fingerprint(model)  # of a copy in float32, where the network is in half precision

    def columns(images: Batch) -> Mapping[str, Tensor]:
        yes = torch.ones_like(images.y, dtype=torch.bool)
        parts = [_traced(model, images, layers, ~yes, yes)]
        if leading is not None:
            # the same targets and random numbers as among activations, so the same images
            found = leading.led(model, images, leading.of(images, len(split.classes))[:, 0], 0)
            parts.append(_traced(model, found.images, layers, yes, found.counted))
        check_unchanged(model, looked_at)
        return {name: torch.stack([part[name] for part in parts], 1).flatten(0, 1) for name in parts[0]}

    store = stored(folder, Table, about, job)
    return in_chunks(store, by_images(split, columns), rows=len(split), doing="traces", job=job)


def _traced(
    model: nn.Module, images: Batch, layers: Sequence[str], attacked: Tensor, counted: Tensor
) -> dict[str, Tensor]:
    with frozen(model), torch.no_grad():
        predicted = Probe(model, images, second_order=False).logits.argmax(1)
    found = {column_of(layer): prediction_differences(model, images, layer, predicted) for layer in layers}
    about = {"index": images.index, "y": images.y, "predicted": predicted, "attacked": attacked, "counted": counted}
    return about | found


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
            for pairs in speaking.nonzero().split(full_pass(images.x)):
                rows, neurons = pairs.unbind(1)
                found[rows, neurons] = _others(onward(rows, neurons), of[rows]) - whole[rows]
        return found


@contextmanager
def _onward(model: nn.Module, x: Tensor, features: Tensor, layer: str) -> Generator[_Onward]:
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

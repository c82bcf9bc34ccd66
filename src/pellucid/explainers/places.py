"""Which tensors inside a network are maps of places, each of which belongs to a place of the image.

A shape tells nothing: attention has four axes, and so have features with their channels last. What tells is how a
tensor was made, by convolutions and what else keeps the axes of images as they are; or, of all others, where a tensor
changes when a quarter of the image does.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import interpolate
from torch.overrides import TorchFunctionMode

from pellucid.explainers.propagation import names
from pellucid.explainers.propagation.calls import name_of, tensors
from pellucid.hooks import hooked
from pellucid.looking import look
from pellucid.probe import Probe
from pellucid.randomness import Noise

Shape = tuple[int, ...]

_KEEPING = (
    names.ELEMENTWISE
    | {"conv2d", "conv_transpose2d", "avg_pool2d", "max_pool2d", "adaptive_avg_pool2d", "adaptive_max_pool2d"}
    | {
        "batch_norm",
        "group_norm",
        "instance_norm",
        "interpolate",
        "pad",
        "clone",
        "contiguous",
        "to",
        "float",
        "double",
    }
    | {"dropout", "dropout2d", "iadd", "isub", "imul", "itruediv", "truediv", "bfloat16", "half", "detach"}
)
"""Functions whose output has the height and the width of their input, in the same order."""

_BASES = 4  # images at which quarters are changed
# Half the logarithm by which the squared change on the quarter's own side exceeds that on the other, along either
# axis; it must be twice as large as where one axis is crossed with the other, too. Over networks of several kinds and
# seeds, layers of places had 0.6 to 2. Of attention and channels-last tensors one axis had less than 0.3, or the
# crossed axes had more.
_FOLLOWS = 0.3
_PART = 1e-6  # of the largest change; less counts as none


@dataclass(frozen=True)
class Output:
    """What a layer puts out for an image; `built` is whether it was made of the image in a way that keeps places."""

    shape: Shape
    built: bool
    learned: bool

    @property
    def spread(self) -> bool:
        """Whether it has more than a single list of numbers."""
        return sum(side > 1 for side in self.shape) > 1

    @property
    def candidate(self) -> bool:
        """Whether it could be (channels, height, width), with more than one place."""
        return self.learned and len(self.shape) == 3 and self.shape[1] * self.shape[2] > 1


def outputs(probe: Probe) -> dict[str, Output]:
    """What each layer puts out for an image, in the order they end; one that is used again counts by its last use."""
    image = _bases(probe, 1)
    tags, found, learned = _Tags(image), dict[str, Output](), False

    def note(name: str, module: nn.Module, output: object) -> None:
        nonlocal learned
        learned = learned or next(module.parameters(), None) is not None
        found.pop(name, None)
        if isinstance(output, Tensor) and output.dim() > 1 and len(output) == 1:
            found[name] = Output(tuple(output.shape[1:]), tags.placed(output), learned or tags.learned(output))

    _watch(probe, image, note, tags)
    return found


def following(probe: Probe, known: Mapping[str, Output]) -> set[str]:
    """Which of these layers change where the image does, so that their places are those of the image."""
    base = _bases(probe, _BASES)
    rows = torch.cat([base, *_with_a_quarter_changed(base)])
    found = dict[str, bool]()

    def note(name: str, module: nn.Module, output: object) -> None:
        found.pop(name, None)
        if name in known and isinstance(output, Tensor) and output.dim() == 4 and len(output) == len(rows):
            before, *after = output.detach().double().chunk(5)
            changes = torch.stack([(changed - before).square().sum((0, 1)) for changed in after])
            found[name] = _follows(changes)

    _watch(probe, rows, note)
    return {name for name, follows in found.items() if follows}


def _watch(
    probe: Probe, x: Tensor, note: Callable[[str, nn.Module, object], None], mode: TorchFunctionMode | None = None
) -> None:
    """A forward pass at which every layer that ends is noted."""
    layers = {module: name for name, module in probe.network.named_modules() if name}

    def told(module: nn.Module, _inputs: object, output: object) -> None:
        note(layers[module], module, output)

    with hooked(layers, told), torch.no_grad(), nullcontext() if mode is None else mode:
        look(probe.model, x)


def _follows(changes: Float[Tensor, "4 h w"]) -> bool:
    """Whether what a quarter changes most, beside what it and what each place changes anyhow, lies in that quarter.

    The logarithm of the change at places of one quarter, when another changes, is taken for a sum: how strong the
    change is, how easily the places change, and whether the two lie on the same side, along each axis.
    """
    high, wide = changes.shape[1:]
    if not changes.any() or not changes.isfinite().all():
        return False
    at = torch.einsum("qhw,ah,bw->qab", changes, _halves(high, changes), _halves(wide, changes)).flatten(1)
    logs = (at + _PART * at.amax()).log()
    down, across = torch.tensor([[-1.0, -1, 1, 1], [-1, 1, -1, 1]]).to(logs)

    def along(image: Tensor, layer: Tensor) -> float:
        return float((image[:, None] * logs * layer).mean())

    own = [along(side, side) for side, count in ((down, high), (across, wide)) if count > 1]
    crossed = max(abs(along(down, across)), abs(along(across, down)))
    return all(effect > max(_FOLLOWS, 2 * crossed) for effect in own)


def _halves(side: int, like: Tensor) -> Float[Tensor, "2 side"]:
    """The mean over each half of a side; a place in the middle belongs to both."""
    place = (torch.arange(side, device=like.device) + 0.5) / side
    halves = torch.stack([place <= 0.5, place >= 0.5]).to(like)
    return halves / halves.sum(1, keepdim=True)


def _bases(probe: Probe, count: int) -> Tensor:
    """Images of chance, coarse and fine; the same whatever is explained, since a layer is a map or it is not."""
    _, channels, high, wide = probe.x.shape
    noise = Noise(0, torch.arange(count)).stream("places")
    coarse = noise.stream("coarse").uniform(channels, 4, 4, dtype=torch.float64)
    fine = noise.stream("fine").uniform(channels, high, wide, dtype=torch.float64)
    return ((interpolate(coarse, (high, wide)) + fine) / 2).to(probe.x)


def _with_a_quarter_changed(x: Tensor) -> Iterator[Tensor]:
    """Copies in which the pixels of one quarter lie half the range away, from the upper left on, row by row."""
    high, wide = x.shape[2:]
    for rows in (slice(0, (high + 1) // 2), slice(high // 2, high)):
        for columns in (slice(0, (wide + 1) // 2), slice(wide // 2, wide)):
            copy = x.clone()
            copy[..., rows, columns] = (copy[..., rows, columns] + 0.5) % 1
            yield copy


class _Tags(TorchFunctionMode):
    """Follows the image through a forward pass: what hangs on it, keeps its places, has met weights."""

    def __init__(self, x: Tensor) -> None:
        super().__init__()
        # tensors are kept, so that no other comes by the number of one
        self._known: dict[int, tuple[Tensor, bool]] = {id(x): (x, True)}
        self._met: dict[int, Tensor] = {}

    def placed(self, tensor: Tensor) -> bool:
        """Whether a tensor's last two axes are the image's."""
        return self._known.get(id(tensor), (tensor, False))[1]

    def learned(self, tensor: Tensor) -> bool:
        """Whether weights have entered a tensor."""
        return id(tensor) in self._met

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function, and tag what it gives."""
        kwargs = kwargs or {}
        given = func(*args, **kwargs)
        name, _ = name_of(func)
        taken = list(tensors((args, kwargs)))
        written = args[0] if name == "setitem" else given
        learned = any(isinstance(tensor, nn.Parameter) or id(tensor) in self._met for tensor in taken)
        hanging = [tensor for tensor in taken if id(tensor) in self._known]
        for tensor in tensors(written):
            if learned:
                self._met[id(tensor)] = tensor
            if hanging:
                self._known[id(tensor)] = tensor, self._keeps(name, args, kwargs, hanging, tensor)
        return given

    def _keeps(
        self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], hanging: Sequence[Tensor], given: Tensor
    ) -> bool:
        """Whether what was given has its places from the image; what is the same at every place does no harm."""
        wide = [tensor for tensor in hanging if tensor.shape[2:].numel() > 1 or tensor.dim() != 4]
        keeps = name in _KEEPING
        if name in ("cat", "concat", "concatenate", "chunk", "split"):
            position = 2 if name in ("chunk", "split") else 1
            keeps = (args[position] if len(args) > position else kwargs.get("dim", 0)) == 1
        return keeps and given.dim() == 4 and bool(wide) and all(map(self.placed, wide))

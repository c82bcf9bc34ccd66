"""How the passes of a search are carried out; what comes out is decided in full precision in any case."""

import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from typing import Literal, cast
from weakref import WeakKeyDictionary

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.autograd.layout import channels_last
from pellucid.hooks import deep_copy
from pellucid.looking import as_given
from pellucid.memory import out_of_memory
from pellucid.probe import frozen
from pellucid.surroundings import products

_MULTIPLYING = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


@dataclass(frozen=True)
class Engine:
    """Speed against exactness of the search. None of it touches the decision on what the search returns."""

    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    compiled: bool = False

    @property
    def exact(self) -> bool:
        """Whether the search sees what the decision will see."""
        return self.precision == "32-true"

    def prepared(self, model: nn.Module) -> nn.Module:
        """The network to search on."""
        searched = model if self.exact else halved(model)
        return cast("nn.Module", torch.compile(searched, dynamic=True)) if self.compiled else searched

    @contextmanager
    def searching(self, device: torch.device) -> Generator[None]:
        """The precision of the search."""
        with apart(device), torch.autocast(device.type, torch.bfloat16, enabled=not self.exact):
            yield

    @contextmanager
    def deciding(self, device: torch.device) -> Generator[None]:
        """Full float32, whatever the caller computes in: what TF32 or bfloat16 rounds, no verdict may rest on."""
        with _exact(device), torch.autocast(device.type, enabled=False), torch.no_grad():
            yield


def halved(model: nn.Module) -> nn.Module:
    """A copy whose convolutions and linear layers hold their weights in bfloat16; everything else is shared with it.

    Autocast would convert these weights at every pass, which takes as long as a small network's pass itself: it keeps
    what it has converted only of weights that are being trained.
    """
    weights = {
        id(weight): nn.Parameter(weight.detach().bfloat16(), requires_grad=False)
        for module in model.modules()
        if type(module) in _MULTIPLYING
        for weight in module.parameters(recurse=False)
        if weight.dtype == torch.float32
    }
    if not weights:
        return model
    shared = {id(tensor): tensor for tensor in chain(model.parameters(), model.buffers())}
    try:
        return deep_copy(model, {**shared, **weights})
    except (RuntimeError, TypeError):  # it holds what cannot be copied, and is only slower for it
        return model


_flags = threading.RLock()


def apart(device: torch.device) -> AbstractContextManager[object]:
    """Passes on an accelerator go by settings of the whole process: none is made while another thread decides."""
    return nullcontext() if device.type == "cpu" else _flags


@contextmanager
def _exact(device: torch.device) -> Generator[None]:
    """Products and convolutions in all digits of float32."""
    if device.type == "cpu":
        with products.exact():
            yield
        return
    with _flags, products.exact(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


# what is known of a network and images of a shape, so that training on attacked ones does not ask at each step
_known: WeakKeyDictionary[nn.Module, dict[tuple[torch.device, torch.Size], bool]] = WeakKeyDictionary()


def takes_channels_last(model: nn.Module, x: Float[Tensor, "b *shape"]) -> bool:
    """Whether the network has use for images laid out channels last, and can take them.

    Convolutions are faster so, a fifth in float32 and a half and more in bfloat16. A network that calls `view` on
    what they put out cannot: it is tried on one image, without a trace, the first time that images are like these.
    """
    if x.dim() != 4 or not any(isinstance(module, nn.Conv2d) for module in model.modules()):
        return False
    known = _known.setdefault(model, {})
    key = (x.device, x.shape[1:])
    if key not in known:
        known[key] = _tried(model, x[:1])
    return known[key]


def _tried(model: nn.Module, x: Float[Tensor, "one c h w"]) -> bool:
    with frozen(model), torch.no_grad():
        try:
            as_given(model, channels_last(x))
        except Exception as error:  # a network of somebody else's fails in its own way
            if out_of_memory(error):
                raise
            return False
    return True

"""A network of which only its answers are known."""

import uuid
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, final

import numpy
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.errors import ConfigError, NetworkError, ShapeError, count_of
from pellucid.ledger import digest
from pellucid.ledger.fingerprints import in_order

Answer = Callable[[Any], Any]
"""A function from a batch of images to a row of scores for each."""

_LEAST = 1e-30  # below which a probability has no logarithm to speak of
_APART = 1e-3  # that probabilities may add up to beside 1


@final
class BlackBox(nn.Module):
    """Any function that answers about images, as a network without weights and without gradients.

    `answer` gets images in [0, 1] as an array of numpy (batch, channels, height, width), or as a tensor with
    `tensors`, at most `batch` at once, and returns a row of scores for each. These are taken for logits; with
    `probabilities` the logarithms of what it returns are. Whatever needs gradients is refused; predictions, noise,
    calibration, Square, occlusion, RISE and LIME do without.

    Work that was stopped goes on with the same function only: the same code, and the same values that it holds. Where
    it holds what cannot be seen, such as a session, give it an `identity`, such as the version of what answers.

        network = BlackBox(lambda images: session.run(None, {"input": images})[0])
    """

    def __init__(
        self,
        answer: Answer,
        *,
        probabilities: bool = False,
        tensors: bool = False,
        batch: int | None = None,
        identity: str = "",
    ) -> None:
        super().__init__()
        if batch is not None and batch < 1:
            raise ConfigError(f"batch is {batch}; show the function 1 image or more at once")
        self.answer, self.probabilities, self.tensors, self.batch = answer, probabilities, tensors, batch
        self.identity = identity or _told(answer)

    def forward(self, x: Float[Tensor, "b c h w"]) -> Float[Tensor, "b classes"]:
        """The scores as logits; no gradient leads from them to the images."""
        parts = x.detach().split(self.batch or max(1, len(x)))
        return torch.cat([self._scores(part) for part in parts]).to(x)

    def extra_repr(self) -> str:
        """What is asked, and how its answers are read."""
        return f"{self.identity}, {'probabilities' if self.probabilities else 'logits'}"

    def _scores(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            found = self.answer(x if self.tensors else x.cpu().numpy())
        try:
            scores = found.detach() if isinstance(found, Tensor) else torch.from_numpy(numpy.asarray(found))
        except (TypeError, ValueError) as error:
            raise NetworkError(
                f"the function answered with {type(found).__name__}, which is no array of numbers; let it return one"
            ) from error
        if scores.ndim != 2 or len(scores) != len(x):
            raise ShapeError(
                f"the function answered {tuple(scores.shape)} about {count_of(len(x), 'image')}; "
                f"let it return a row of scores for each"
            )
        if not self.probabilities:
            return scores
        scores = scores.double()
        if bool((scores < 0).any()) or bool(((scores.sum(1) - 1).abs() > _APART).any()):
            raise NetworkError(
                "the function's scores are no probabilities, which are 0 or more and add up to 1; "
                "leave out probabilities, so that they are taken for logits"
            )
        return scores.clamp_min(_LEAST).log()


def _told(answer: Answer) -> str:
    """A function by its name and all that its answers hang on; where that cannot be seen, it is like no other one."""
    name = f"{getattr(answer, '__module__', '')}.{getattr(answer, '__qualname__', type(answer).__qualname__)}"
    seen = _seen(answer)
    return f"{name} {uuid.uuid4().hex[:8] if seen is None else digest(*seen)[:8]}"


def _seen(value: object) -> list[object] | None:
    """What a value holds, for a digest; none where it holds what cannot be seen, such as a session."""
    if isinstance(value, nn.Module):
        return [repr(value), *in_order(value.state_dict())]
    if isinstance(value, numpy.ndarray) and value.dtype != object:
        return [torch.from_numpy(numpy.ascontiguousarray(value))]
    if isinstance(value, Tensor | str | bytes | int | float | bool | None):
        return [value]
    if isinstance(value, ModuleType | BuiltinFunctionType | type):
        return [repr(value)]
    if not isinstance(value, FunctionType):
        return None
    held = [cell.cell_contents for cell in value.__closure__ or ()]
    held += [value.__globals__[name] for name in value.__code__.co_names if name in value.__globals__]
    held += [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
    parts: list[object] = [value.__code__.co_code, [one for one in value.__code__.co_consts if _plain(one)]]
    for one in held:
        own = [one.__qualname__, one.__code__.co_code] if isinstance(one, FunctionType) else _seen(one)
        if own is None:
            return None
        parts += own
    return parts


def _plain(value: object) -> bool:
    return isinstance(value, str | bytes | int | float | bool | None)

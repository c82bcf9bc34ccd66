"""How a network is called: images go in as it takes them, and what comes out is made logits of, or refused."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pellucid.contained import called, contained, name_of, reason
from pellucid.errors import NetworkError, NoGradients, PellucidError, ShapeError
from pellucid.memory import out_of_memory

Images = Float[Tensor, "b *shape"]
Logits = Float[Tensor, "b classes"]


@dataclass(frozen=True)
class Way:
    """How a network takes images, where it refuses them as they are.

    In another precision, without their graph as numpy wants them, laid out in one way; at least or exactly so many at
    once, for which the last image is repeated.
    """

    dtype: torch.dtype | None = None
    detached: bool = False
    layout: Literal["any", "rows", "channels last"] = "any"
    least: int = 1
    exactly: int = 0

    def call(self, model: nn.Module, x: Images) -> Logits:
        """The logits of images that are given in this way."""
        if self.exactly:
            return torch.cat([self._padded(model, part, self.exactly) for part in x.split(self.exactly)])
        return self._padded(model, x, self.least)

    def _padded(self, model: nn.Module, x: Images, rows: int) -> Logits:
        lacking = max(rows - len(x), 0) if len(x) else 0  # of none there is no last one
        given = torch.cat([x, x[-1:].expand(lacking, *x.shape[1:])]) if lacking else x
        if self.layout != "any":
            last = self.layout == "channels last"
            given = given.contiguous(memory_format=torch.channels_last if last else torch.contiguous_format)
        given = given.detach() if self.detached else given
        said = called(model, given if self.dtype is None else given.to(self.dtype))
        answer = logits_of(said, given)
        if not isinstance(said, Tensor):  # of what holds a tensor no copy was made, and it may be the same each time
            answer = answer.clone()
        return answer[: len(x)] if lacking else answer


_AS_GIVEN = Way()
_known: WeakKeyDictionary[nn.Module, Way] = WeakKeyDictionary()


def look(model: nn.Module, x: Images) -> Logits:
    """The network's logits on a copy of images, in the precision of the images and where they are.

    A network that refuses images as they are is given them as it takes them: in its own precision, without a graph,
    laid out otherwise, two at least or exactly as many as it was made for. What it puts out may be a tensor, an
    array, or something that holds one. One that fails in every way, or puts out no logits, is an error of one line.
    """
    way = _known.get(model, _AS_GIVEN)
    try:
        return way.call(model, x)
    except PellucidError:
        raise
    except Exception as error:  # a network of somebody else's fails in its own way
        if out_of_memory(error):
            raise
        first = error
    return _otherwise(model, x, first)


def as_given(model: nn.Module, x: Images) -> Logits:
    """The logits of images exactly as they are; what the network raises where it does not take them so."""
    return _AS_GIVEN.call(model, x)


@contextmanager
def going_back(model: nn.Module) -> Generator[None]:
    """A pass back through a network, whose own code may run there too."""
    try:
        with contained(name_of(model)):
            yield
    except PellucidError:
        raise
    except Exception as error:  # a network of somebody else's fails in its own way
        if out_of_memory(error):
            raise
        if any(words in str(error) for words in _NO_WAY):
            raise no_gradients(reason(error)) from error
        raise NetworkError(f"{name_of(model)} failed on the way back to its pixels: {reason(error)}") from error


def no_gradients(why: str) -> NoGradients:
    """What is said where a gradient is wanted and none leads to the pixels."""
    return NoGradients(f"no gradient leads from the network's logits to its pixels ({why}); {WITHOUT_GRADIENTS}")


WITHOUT_GRADIENTS = "the attack square needs none, nor do the explainers occlusion, rise and lime"
"""What to take for a network without gradients."""

_NO_WAY = ("does not require grad", "not have been used", "is not implemented")


def logits_of(answer: Any, x: Images) -> Logits:
    """What a network put out for images, as logits."""
    scores = _scores(answer, len(x))
    if scores is None:
        raise ShapeError(f"the network returned {_shown(answer)} for {_count(x)}; it must return (images, classes)")
    if scores.dim() > 2 and scores.shape[2:].numel() == 1:
        scores = scores.flatten(1)
    if scores.dim() != 2 or len(scores) != len(x):
        got = f"shape {tuple(scores.shape)}"
        raise ShapeError(f"the network returned {got} for {_count(x)}; it must return (images, classes)")
    if not scores.is_floating_point():
        kind = str(scores.dtype).removeprefix("torch.")
        raise ShapeError(f"the network returned {kind} numbers; it must return logits, which are floating-point")
    if scores.is_inference():
        scores = scores.clone()  # which what follows may compute with
    return scores.to(x.device, x.dtype)


def _scores(answer: Any, count: int) -> Tensor | None:
    """The one table of numbers that an answer is or holds."""
    if isinstance(answer, Tensor):
        return answer
    if isinstance(answer, numpy.ndarray) and answer.dtype.kind in "biufc":
        return torch.from_numpy(numpy.array(answer))
    if isinstance(answer, Mapping):
        found = answer.get("logits")
        return _scores(found, count) if found is not None else _only(list(answer.values()), count)
    if (found := getattr(answer, "logits", None)) is not None:
        return _scores(found, count)
    if isinstance(answer, Sequence) and not isinstance(answer, str) and answer:
        return _only(answer, count)
    return None


def _only(parts: Sequence[Any], count: int) -> Tensor | None:
    """The only part that is a table with a row for each image; or all of them, where each is such a row."""
    tables = [part for part in parts if isinstance(part, Tensor | numpy.ndarray) and part.ndim > 1]
    fitting = [part for part in tables if len(part) == count]
    if tables:
        return _scores(fitting[0], count) if len(fitting) == 1 else None
    try:
        rows = [torch.as_tensor(part) for part in parts]
        return torch.stack(rows) if len(rows) == count and all(row.dim() == 1 for row in rows) else None
    except (TypeError, ValueError, RuntimeError):
        return None


def _shown(answer: Any) -> str:
    if isinstance(answer, Mapping):
        return f"a dict of {', '.join(map(str, answer)) or 'nothing'}"
    return type(answer).__name__


def _otherwise(model: nn.Module, x: Images, error: Exception) -> Logits:
    """The first other way in which the network takes the images; that one is remembered."""
    way, told = _AS_GIVEN, error
    for _ in range(_MOST):
        found = _suggested(told, way, model, x)
        if found is None:
            break
        way, answer = found, _tried(found, model, x)
        if isinstance(answer, Tensor):
            return answer
        told = answer
    for last in _unnamed(way, x):
        answer = _tried(last, model, x)
        if isinstance(answer, Tensor):
            return answer
    shape = "x".join(map(str, x.shape[1:]))
    raise NetworkError(f"{name_of(model)} failed on {_count(x)} of {shape}: {reason(told)}") from told


_MOST = 4  # things that a network may want at once, which it names one after the other


def _tried(way: Way, model: nn.Module, x: Images) -> Logits | Exception:
    try:
        answer = way.call(model, x)
    except PellucidError:
        raise
    except Exception as error:
        if out_of_memory(error):
            raise
        return error
    _known[model] = way
    return answer


def _suggested(error: Exception, way: Way, model: nn.Module, x: Images) -> Way | None:
    """What to change by what the network says."""
    words = str(error)
    if "numpy()" in words and not way.detached:
        return replace(way, detached=True)
    if (only := re.search(_EXACTLY, words)) and not way.exactly:
        return replace(way, exactly=int(only[1] or only[2]))
    kinds = dict.fromkeys(
        tensor.dtype for tensor in (*model.parameters(), *model.buffers()) if tensor.is_floating_point()
    )
    others = [kind for kind in kinds if kind != x.dtype]
    if way.dtype is None and others and (len(kinds) == 1 or re.search(_OF_DTYPE, words)):
        return replace(way, dtype=others[0])
    if way.dtype in others[:-1]:
        return replace(way, dtype=others[others.index(way.dtype) + 1])
    return None


# what exported programs say of their first axis, in the words of several versions
_EXACTLY = r"size\(\)\[0\] == (\d+)|shape\[0\] to be equal to (\d+)"
_OF_DTYPE = r"(?i)dtype|scalar type|Input type"


def _unnamed(way: Way, x: Images) -> Iterator[Way]:
    """What networks want without saying so in words that could be known."""
    if not x.is_contiguous():
        yield replace(way, layout="rows")
    if x.dim() == 4:
        yield replace(way, layout="channels last")
    if not way.exactly:
        yield replace(way, least=2) if len(x) == 1 else replace(way, exactly=1)


def _count(x: Images) -> str:
    return f"{len(x)} image{'s' if len(x) != 1 else ''}"

"""Random numbers that depend on a seed and an image's index, never on the batch that the image came in.

A counter-based generator: each number is a hash of (seed, image, position). So the noise of one image is the same in
any batch, order, process or device, and a run that is resumed needs no saved generator state.
"""

import hashlib
import math
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

_GOLDEN = -7046029254386353131  # 2**64 / golden ratio, as a signed word: splitmix64's increment
_FIRST = -4658895280553007687  # splitmix64's two multipliers, signed
_SECOND = -7723592293110705685


_drawing = threading.RLock()


@contextmanager
def seeded(seed: int | None, device: torch.device | None = None) -> Generator[None]:
    """Torch's own generators start from a seed in this block, and go on after it as if nothing had been drawn.

    It is for what draws from them, such as dropout and the first weights of a network. They are the CPU's and that of
    a `device`, and belong to all threads: one thread at a time is in such a block. Without a seed they start from
    where they are.
    """
    accelerators = [device] if device is not None and device.type == "cuda" else []
    with _drawing, torch.random.fork_rng(accelerators):
        if seed is not None:
            torch.default_generator.manual_seed(seed)
            for accelerator in accelerators:
                torch.cuda.default_generators[accelerator.index or 0].manual_seed(seed)
        yield


def derive(*words: int | str) -> int:
    """A seed made of words, below 2**62: `derive(seed, "shuffle", epoch)`."""
    digest = hashlib.blake2b(repr(words).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 2


@dataclass(frozen=True)
class Noise:
    """One stream of random numbers per image of a batch."""

    seed: int
    index: Int[Tensor, " b"]

    def stream(self, *words: int | str) -> "Noise":
        """An independent stream, named by words: an epoch, a step, the term that draws from it.

        Another spelling is another stream, so words stay as they were when figures were drawn with them.
        """
        return Noise(derive(self.seed, *words), self.index)

    def uniform(self, *shape: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, "b ..."]:
        """Numbers for each image, uniform in [0, 1), in the shape that is given."""
        # a float holds 24 (or 53) bits exactly; more would round up to 1
        bits = 53 if dtype == torch.float64 else 24
        return (_shift(self._words(shape), 64 - bits).to(torch.float64) * 2.0**-bits).to(dtype)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float32) -> Float[Tensor, "b ..."]:
        """Standard normal, by Box and Muller."""
        radius = (-2 * torch.log1p(-self.stream("radius").uniform(*shape, dtype=dtype))).sqrt()
        return radius * torch.cos(2 * math.pi * self.stream("angle").uniform(*shape, dtype=dtype))

    def integers(self, high: int, *shape: int) -> Int[Tensor, "b ..."]:
        """Whole numbers from 0 to `high` - 1."""
        return (self.uniform(*shape, dtype=torch.float64) * high).long()

    def _words(self, shape: tuple[int, ...]) -> Int[Tensor, "b ..."]:
        key = _mix(self.index * _GOLDEN + self.seed)
        position = torch.arange(math.prod(shape), device=self.index.device)
        # mixing twice, since neighboring keys and positions are both small numbers
        words = _mix(_mix(key)[:, None] + position * _GOLDEN)
        return words.reshape(len(key), *shape)


def _mix(word: Tensor) -> Tensor:
    word = (word ^ _shift(word, 30)) * _FIRST
    word = (word ^ _shift(word, 27)) * _SECOND
    return word ^ _shift(word, 31)


def _shift(word: Tensor, bits: int) -> Tensor:
    # torch shifts signed words arithmetically; masking off the copied sign makes it a logical shift
    return (word >> bits) & ((1 << (64 - bits)) - 1)

"""How fast single outputs change with the pixels."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from pellucid.autograd import processes
from pellucid.errors import ConfigError, ShapeError
from pellucid.objectives.objective import Term
from pellucid.papers import WOODS, cites
from pellucid.probe import Probe


@cites(WOODS)
@dataclass(frozen=True)
class Lipschitz(Term):
    """The mean over images, channels and pixels of a derivative's `power`: that of one output drawn for each image.

    The output is the logit of a class drawn at random, or with probability `tandem` the label's logit less the
    largest other one (Woods et al. 2019). `samples` are so many draws, each a backward pass, and their mean;
    `samples="all"` is the expectation, which takes one for each class and one more.
    """

    power: float = 2.0
    tandem: float = 0.2
    samples: int | Literal["all"] = 1

    def __post_init__(self) -> None:
        if not 1 <= self.power <= 10:
            raise ConfigError(f"power is {self.power:g}; derivatives are raised to a power from 1 to 10")
        if not 0 <= self.tandem <= 1:
            raise ConfigError(f"tandem is {self.tandem:g}; it is the probability of a margin, in [0, 1]")
        if self.samples != "all" and self.samples < 1:
            raise ConfigError(f"samples is {self.samples}; it is a number from 1 on, or 'all'")

    def __call__(self, probe: Probe) -> Float[Tensor, ""]:
        """The mean over the global batch."""
        if probe.logits.shape[1] < 2 and self.tandem > 0:
            raise ShapeError("the network has 1 class and a margin needs two; set tandem to 0")
        outputs, shares = self._expected(probe) if self.samples == "all" else self._drawn(probe, self.samples)
        slopes = probe.pullback(outputs).flatten(2)
        sizes = slopes.square() if self.power == 2 else slopes.abs().pow(self.power)
        return processes.mean(shares @ sizes.mean(2))

    def _drawn(self, probe: Probe, samples: int) -> tuple[Float[Tensor, "n b classes"], Float[Tensor, " n"]]:
        noise, classes = probe.noise.stream("lipschitz"), probe.logits.shape[1]
        drawn = F.one_hot(noise.stream("class").integers(classes, samples), classes).to(probe.logits.dtype)
        if self.tandem > 0:
            chosen = noise.stream("kind").uniform(samples) < self.tandem
            drawn = torch.where(chosen[..., None], _margin(probe)[:, None], drawn)
        return drawn.transpose(0, 1), drawn.new_full((samples,), 1 / samples)

    def _expected(self, probe: Probe) -> tuple[Float[Tensor, "n b classes"], Float[Tensor, " n"]]:
        margin = _margin(probe)
        images, classes = margin.shape
        every = torch.eye(classes, dtype=margin.dtype, device=margin.device)[:, None].expand(-1, images, -1)
        shares = [(1 - self.tandem) / classes] * classes + [self.tandem]
        # what counts for nothing is not worth a pass
        kept = slice(classes if self.tandem == 1 else 0, None if self.tandem > 0 else classes)
        return torch.cat((every, margin[None]))[kept], margin.new_tensor(shares[kept])


def _margin(probe: Probe) -> Float[Tensor, "b classes"]:
    """The weights that make each image's margin of its logits; which class is the runner-up has no derivative."""
    logits = probe.logits.detach()
    label = F.one_hot(probe.y, logits.shape[1])
    rival = logits.masked_fill(label.bool(), -torch.inf).argmax(1)
    return (label - F.one_hot(rival, logits.shape[1])).to(logits.dtype)

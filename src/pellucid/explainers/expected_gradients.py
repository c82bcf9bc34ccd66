"""Integrated gradients averaged over baselines that are images themselves."""

from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor, nn

from pellucid.batch import Batch, check_pixels
from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers.copies import at_copies, fold, portions
from pellucid.explainers.explainer import Classes, Explainer, Images, images_of, summed, with_learned
from pellucid.papers import cites
from pellucid.probe import Probe
from pellucid.randomness import Noise


@cites(
    "Erion, Janizek, Sturmfels, Lundberg and Lee, Improving performance of deep learning models with "
    "axiomatic attribution priors and expected gradients, Nature Machine Intelligence 3, 2021. arXiv "
    "1906.10670"
)
@final
@dataclass(frozen=True)
class ExpectedGradients(Explainer):
    """The mean gradient somewhere on the way from a random image, times the way (Erion et al. 2021).

    Each of `samples` draws starts at one of the images that `fit` has kept, at most `background`, and looks at a
    place in its own part of the way. Maps add up to the class's logit above its mean over those images, but for the
    chance of the draws.
    """

    samples: int = 200
    background: int = 100
    kept: Tensor | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value in (("samples", self.samples), ("background", self.background)):
            if value < 1:
                raise ConfigError(f"ExpectedGradients has {name}={value}; give 1 or more")

    @property
    def random(self) -> bool:
        """Starts and places are drawn."""
        return True

    @property
    def learns(self) -> bool:
        """Whether `fit` has to show it images first, which its paths start from."""
        return self.kept is None

    def fit(self, model: nn.Module, images: Images, *, seed: int = 0) -> "ExpectedGradients":
        """The same explainer, which starts from these images: all of them, or `background` that are drawn."""
        check_pixels(images, "the background")
        if not len(images):
            raise ShapeError("the background has no images; give one or more")
        lots = Noise(seed, torch.arange(len(images))).stream("background").uniform(dtype=torch.float64)
        drawn = lots.argsort()[: self.background].sort().values
        return with_learned(self, kept=images.detach()[drawn.to(images.device)].clone())

    def maps(self, probe: Probe, of: Classes, rows: int) -> Images:
        """The mean of gradients on the way from other images: one for each sample, of which only the sum is kept."""
        x, starts = images_of(probe), self._starts(probe)
        total = torch.zeros_like(x)
        for numbers in portions(self.samples, len(of), rows):
            ways = [_Way(probe, starts, number, self.samples) for number in numbers]
            copies = at_copies(probe, numbers, lambda number, ways=ways: ways[number - ways[0].number].place)
            gradients = fold(copies.gradient(of.repeat(len(numbers))), len(numbers))
            total = total + (gradients * torch.stack([x - way.start for way in ways])).sum(0)
        return total / self.samples

    def reach(self, found: Images) -> Tensor:
        """The sum of its magnitudes."""
        return summed(found)

    def due(self, probe: Probe, of: Classes, rows: int) -> Tensor:
        """How far the logit lies above its mean over the images that it starts from."""
        starts = self._starts(probe)
        index = torch.arange(len(starts), device=starts.device)
        with torch.no_grad():
            parts = [
                probe.on(Batch.trusted(starts[some], index[some], {"index": index[some]})).logits
                for some in index.split(max(1, rows))
            ]
        return probe.logits.gather(1, of[:, None])[:, 0] - torch.cat(parts).mean(0)[of]

    def _starts(self, probe: Probe) -> Tensor:
        if self.kept is None:
            raise ConfigError(
                "this ExpectedGradients has no images to start from; "
                "call fit(model, images) on it, and explain with what that returns"
            )
        if self.kept.shape[1:] != probe.x.shape[1:]:
            raise ShapeError(
                f"images are {tuple(probe.x.shape[1:])} and those that ExpectedGradients starts from "
                f"{tuple(self.kept.shape[1:])}; fit it on images of the same shape"
            )
        return self.kept.to(probe.x)


class _Way:
    """Where a sample of each image starts, and the place that it looks at."""

    def __init__(self, probe: Probe, starts: Tensor, number: int, samples: int) -> None:
        noise, x = probe.noise.stream("expected-gradients", number), images_of(probe)
        each = (-1, *[1] * (x.dim() - 1))
        self.number = number
        self.start = starts[noise.stream("start").integers(len(starts))]
        # each sample has its own part of the way, so that all parts are looked at alike
        part = (number + noise.stream("place").uniform(dtype=torch.float64)) / samples
        self.place = torch.lerp(self.start, x, part.to(x).view(each))

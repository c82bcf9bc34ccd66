"""A vocabulary of superpixels: what looks alike, or means alike to a network, is one word in all images."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.ledger import checksums
from pellucid.probe import Probe, frozen
from pellucid.randomness import derive


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words as the centers of clusters of superpixels, and how a superpixel is described.

    `layer` is the layer of the network whose features describe it; without one it is described by its colors.
    """

    centers: Float[Tensor, "words features"]
    mean: Float[Tensor, " features"]
    deviation: Float[Tensor, " features"]
    layer: str = ""

    def __len__(self) -> int:
        return len(self.centers)

    @classmethod
    def learn(
        cls, descriptions: Float[Tensor, "n features"], words: int, *, seed: int = 0, layer: str = ""
    ) -> "Vocabulary":
        """The words that k-means finds among superpixels, the most frequent first."""
        from sklearn.cluster import KMeans  # importing scikit-learn takes a second

        rows = descriptions.double().cpu()
        if words < 1:
            raise ConfigError(f"a vocabulary of {words} words; give 1 or more")
        different = len(rows.unique(dim=0))
        if different < words:
            raise ConfigError(
                f"{words} words from {different} different superpixels; ask for fewer words, or show more images"
            )
        mean = rows.mean(0)
        deviation = rows.std(0, correction=0)
        # what never varies tells nothing apart, and must not be divided by
        deviation = deviation.where(deviation > 1e-9, 1.0)
        found: Any = KMeans  # whose signature is not typed as it is
        means = found(words, n_init=4, random_state=derive(seed, "vocabulary") % 2**32)
        labels = torch.from_numpy(means.fit_predict(((rows - mean) / deviation).numpy())).long()
        order = torch.bincount(labels, minlength=words).argsort(descending=True, stable=True)
        return cls(torch.from_numpy(means.cluster_centers_)[order], mean, deviation, layer)

    def words(
        self, model: nn.Module, batch: Batch, segments: Int[Tensor, "b h w"], counts: Int[Tensor, " b"]
    ) -> Int[Tensor, "b s"]:
        """The word of every superpixel of every image; -1 where an image has fewer than another."""
        described = describe(model, batch, segments, counts, layer=self.layer)
        if described.shape[2] != self.centers.shape[1]:
            raise ShapeError(
                f"superpixels have {described.shape[2]} features, and the vocabulary knows {self.centers.shape[1]}; "
                "learn one from images like these, with this network"
            )
        centers = self.centers.to(described.device)
        scaled = (described - self.mean.to(described.device)) / self.deviation.to(described.device)
        nearest = torch.cdist(scaled.flatten(0, 1), centers, compute_mode="donot_use_mm_for_euclid_dist").argmin(1)
        return nearest.view(described.shape[:2]).where(_there(counts, described.shape[1]), -1)

    def save(self, path: Path) -> None:
        """Write the vocabulary as `.npz`, whole or not at all."""
        checksums.write(path, self.packed())

    def packed(self) -> bytes:
        """The content of that file."""
        arrays = {name: getattr(self, name).cpu().numpy() for name in _ARRAYS}
        return checksums.packed({"layer": numpy.array(self.layer), **arrays})

    @classmethod
    def load(cls, path: Path, remedy: str = checksums.AGAIN) -> "Vocabulary":
        """The vocabulary in a file, or an error that says that it is damaged and what to do."""
        arrays = checksums.read_arrays(path, remedy)
        with checksums.reading(path, remedy):
            centers, mean, deviation = (torch.from_numpy(arrays[name]) for name in _ARRAYS)
            return cls(centers, mean, deviation, str(arrays["layer"]))


_ARRAYS = ("centers", "mean", "deviation")


def describe(
    model: nn.Module,
    batch: Batch,
    segments: Int[Tensor, "b h w"],
    counts: Int[Tensor, " b"],
    *,
    layer: str = "",
) -> Float[Tensor, "b s features"]:
    """A row of numbers for every superpixel, of zeros where an image has fewer than another.

    By color: the mean and the deviation of each channel, and how much it changes from one pixel to the next. By
    `layer`: the mean of its features, brought to the image's size and to length 1 at every place, so that bright
    places do not outweigh the others.
    """
    pixels = _learned(model, batch, layer) if layer else _seen(batch.x.detach().double())
    # blind to batches: one image alone has as many rows as its own superpixels, and the same numbers in them
    most = int(counts.max())
    flat = segments.flatten(1).to(pixels.device)
    sizes = pixels.new_zeros(len(flat), most).scatter_add(1, flat, torch.ones_like(flat, dtype=pixels.dtype))
    places = flat[:, None].expand(-1, pixels.shape[1], -1)
    sums = pixels.new_zeros(len(flat), pixels.shape[1], most).scatter_add(2, places, pixels.flatten(2))
    means = (sums / sizes.clamp_min(1)[:, None]).transpose(1, 2)
    return means if layer else _with_deviations(means)


def flattened(described: Float[Tensor, "b s features"], counts: Int[Tensor, " b"]) -> Float[Tensor, "n features"]:
    """The rows of the superpixels that there are, one image after another."""
    return described[_there(counts, described.shape[1]).to(described.device)]


def _there(counts: Tensor, most: int) -> Tensor:
    return torch.arange(most, device=counts.device) < counts[:, None]


def _seen(x: Tensor) -> Tensor:
    """Each pixel's channels, their squares, and how much each changes to the right and downwards."""
    change = torch.zeros_like(x)
    change[..., :, :-1] += x.diff(dim=-1).abs()
    change[..., :-1, :] += x.diff(dim=-2).abs()
    return torch.cat([x, x.square(), change], 1)


def _with_deviations(means: Tensor) -> Tensor:
    mean, square, change = means.chunk(3, 2)
    return torch.cat([mean, (square - mean.square()).clamp_min(0).sqrt(), change], 2)


def _learned(model: nn.Module, batch: Batch, layer: str) -> Tensor:
    with frozen(model), torch.no_grad():
        features = Probe(model, batch, second_order=False, layers=(layer,)).features(layer).detach()
    if features.dim() != 4:
        raise ShapeError(
            f"the layer '{layer}' gives {tuple(features.shape)}; words need features with height and width"
        )
    features = F.normalize(features.double(), dim=1)
    return F.interpolate(features, size=batch.x.shape[-2:], mode="bilinear", align_corners=False)

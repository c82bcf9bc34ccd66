"""As many masks as each image needs, what a network says under them, and the linear models that come of that."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.explainers.lime.hidden import SegmentBaseline, hidden, idle_segments
from pellucid.explainers.lime.regression import Fit, Sums, best_fit
from pellucid.explainers.lime.surrogates import Surrogates
from pellucid.probe import Probe
from pellucid.randomness import Noise

Kernel = Literal["cosine", "hamming", "none"]
"""How far a mask is from the whole image, by which it counts."""

Output = Literal["probability", "logit"]

BLOCK = 1024
"""How many masks are drawn at a time; an even number."""

_BITS = 48  # that one whole number below 2**48 holds
_NUMBERS = 2**23  # doubles that may be kept at once: 64 MiB
_LEAST, _EACH = 1000, 20


def masks_for(segments: int) -> int:
    """How many masks so many segments get by "auto"."""
    return max(_LEAST, _EACH * segments)


@dataclass(frozen=True)
class Sampling:
    """The settings of `Lime` that come after segments."""

    masks: int | None
    alpha: float
    kernel: Kernel
    width: float
    baseline: SegmentBaseline
    antithetic: bool
    output: Output
    features: int
    tolerance: float
    most: int

    def __call__(
        self, probe: Probe, segments: Int[Tensor, "b h w"], classes: Int[Tensor, "b k"], rows: int
    ) -> tuple[Surrogates, bool]:
        """The linear models, and whether masks left some coefficient undetermined.

        As many images are worked on together as there is room for the sums of.
        """
        x, features = probe.x.detach(), int(segments.max()) + 1
        systems = 3 + 4 * (classes.shape[1] if self.features else 1)
        many = max(1, _NUMBERS // (features * (systems * features + 3 * BLOCK)))
        parts, short = list[Surrogates](), False
        with torch.no_grad():
            for first in range(0, len(x), many):
                part = slice(first, first + many)
                images = Batch.trusted(x[part], probe.y[part], {"index": probe.batch.index[part]})
                found, fell_short = self._together(probe.on(images), segments[part], classes[part], rows)
                parts.append(found)
                short |= fell_short
        return Surrogates.joined(parts), short

    def _together(self, probe: Probe, segments: Tensor, classes: Tensor, rows: int) -> tuple[Surrogates, bool]:
        x, counts = probe.x.detach(), segments.flatten(1).amax(1) + 1
        sizes: list[int] = counts.tolist()
        nothing = hidden(x, segments, self.baseline, probe.network)
        seen = _Masked(probe, x, nothing, segments, classes, self.output, rows)
        useless = idle_segments(x, nothing, segments)
        there = torch.arange(max(sizes), device=x.device) < counts[:, None]
        sums = Sums(len(x), classes.shape[1], max(sizes), x.device)
        wanted = [masks_for(size) if self.masks is None else self.masks for size in sizes]
        done = 0
        while done < max(wanted):
            # where one has what it wanted is only of interest if it may want more
            stops = [want for want in wanted if want > done] if self.tolerance else [max(wanted)]
            end = min((done // BLOCK + 1) * BLOCK, *stops, max(wanted))
            self._add(sums, seen, probe, sizes, range(done, end), wanted)
            done = end
            if done in wanted and self.tolerance:
                settled: list[bool] = self._settled(
                    best_fit(sums, there & ~useless, self.alpha, self.features)
                ).tolist()
                wanted = [
                    min(2 * want, self.most) if want == done < self.most and not enough else want
                    for want, enough in zip(wanted, settled, strict=True)
                ]
        found = best_fit(sums, there & ~useless, self.alpha, self.features)
        return Surrogates(
            found.coefficients,
            found.standard_errors,
            found.intercepts,
            found.r2,
            found.adjusted_r2,
            classes,
            segments,
            counts,
            there & useless,
            sums.count.long(),
            sums.weight.square() / sums.square,
        ), bool(found.short.any())

    def _add(
        self, sums: Sums, seen: "_Masked", probe: Probe, sizes: Sequence[int], numbers: range, wanted: Sequence[int]
    ) -> None:
        """Masks of these numbers, which are all of one block, for those images that want so many."""
        block, device = numbers.start // BLOCK, probe.x.device
        masks = drawn_masks(probe.noise, block, sizes, antithetic=self.antithetic)
        masks = masks[:, numbers.start - block * BLOCK : numbers.stop - block * BLOCK]
        used = [min(len(numbers), max(0, want - numbers.start)) for want in wanted]
        shown = masks.sum(2) / torch.tensor(sizes, dtype=torch.float64, device=device)[:, None]
        counting = torch.arange(len(numbers), device=device) < torch.tensor(used, device=device)[:, None]
        sums.add(masks, weights(shown, self.kernel, self.width), seen.answers(masks, used), counting)

    def _settled(self, found: Fit) -> Tensor:
        """Whether the errors of an image are small beside its largest coefficient, for every class."""
        largest = found.coefficients.abs().amax(2)
        return (found.standard_errors.amax(2) <= self.tolerance * largest).all(1)


def drawn_masks(noise: Noise, block: int, counts: Sequence[int], *, antithetic: bool) -> Bool[Tensor, "b masks d"]:
    """A block of masks for each image, each segment shown with probability 1/2, and none beyond an image's count.

    The first mask of all shows the whole image. With `antithetic` every second one is the opposite of that before it,
    and so the second of all shows nothing.
    """
    most, device = max(counts), noise.index.device
    draws = BLOCK // 2 if antithetic else BLOCK
    # a stream for each word, so that it does not matter how many segments other images have
    words = [noise.stream("lime", block, word).integers(2**_BITS, draws) for word in range(-(-most // _BITS))]
    bits = (torch.stack(words, -1)[..., None] >> torch.arange(_BITS, device=device)) & 1
    masks = bits.flatten(2)[:, :, :most].bool()
    if antithetic:
        masks = torch.stack([masks, ~masks], 2).flatten(1, 2)
    if block == 0:
        masks[:, 0] = True
        masks[:, 1] &= not antithetic
    live = torch.arange(most, device=device) < torch.tensor(counts, device=device)[:, None]
    return masks & live[:, None]


def weights(shown: Float[Tensor, "*shape"], kernel: Kernel, width: float) -> Float[Tensor, "*shape"]:
    """The weight exp(-D² / 2 width²) of masks that show these shares of the segments.

    The distance D of a mask z of d segments, k of them shown, from the whole image 1 follows from k/d alone: that of
    the cosine is 1 - <z, 1> / ‖z‖‖1‖ = 1 - √(k/d), that of Hamming 1 - k/d; without a kernel it is 0.
    """
    if kernel == "none":
        return torch.ones_like(shown)
    distance = 1 - (shown.sqrt() if kernel == "cosine" else shown)
    return torch.exp(-distance.square() / (2 * width**2))


class _Masked:
    """Images with their segments and with what is seen where one is hidden.

    Copies are written into one buffer of `rows` rows, which a network must not keep.
    """

    def __init__(
        self,
        probe: Probe,
        shown: Float[Tensor, "b c h w"],
        hidden: Float[Tensor, "b c h w"],
        segments: Int[Tensor, "b h w"],
        classes: Int[Tensor, "b k"],
        output: Output,
        rows: int,
    ) -> None:
        self._probe = probe
        self._shown = shown
        self._hidden = hidden
        self._places = segments.flatten(1)
        self._classes = classes
        self._output: Output = output
        last = torch.channels_last
        apart = shown.is_contiguous() or not shown.is_contiguous(memory_format=last)
        layout = torch.contiguous_format if apart else last  # as the images are laid out
        self._buffer = torch.empty(
            rows, *shown.shape[1:], dtype=shown.dtype, device=shown.device, memory_format=layout
        )

    def answers(self, masks: Bool[Tensor, "b m d"], used: Sequence[int]) -> Float[Tensor, "b m k"]:
        """The output for each class under the first `used` masks of each image; 0 under the others."""
        found = masks.new_zeros(*masks.shape[:2], self._classes.shape[1], dtype=torch.float64)
        pieces, filled = list[tuple[int, slice, slice]](), 0
        for image, count in enumerate(used):
            done = 0
            while done < count:
                size = min(count - done, len(self._buffer) - filled)
                piece = (image, slice(done, done + size), slice(filled, filled + size))
                self._write(piece, masks)
                pieces.append(piece)
                done, filled = done + size, filled + size
                if filled == len(self._buffer):
                    self._read(pieces, filled, found)
                    pieces, filled = [], 0
        if filled:
            self._read(pieces, filled, found)
        return found

    def _write(self, piece: tuple[int, slice, slice], masks: Bool[Tensor, "b m d"]) -> None:
        image, numbers, rows = piece
        visible = masks[image, numbers].to(self._shown.dtype).index_select(1, self._places[image])
        visible = visible.view(-1, 1, *self._shown.shape[2:])
        # by 0 and by 1 a lerp is exact, and one pass over the rows
        torch.lerp(self._hidden[image], self._shown[image], visible, out=self._buffer[rows])

    def _read(self, pieces: Sequence[tuple[int, slice, slice]], filled: int, found: Tensor) -> None:
        x = self._buffer[:filled]
        nothing = torch.zeros(filled, dtype=torch.long, device=x.device)
        logits = self._probe.on(Batch.trusted(x, nothing, {"index": nothing})).logits.double()
        output = logits.softmax(1) if self._output == "probability" else logits
        for image, numbers, rows in pieces:
            found[image, numbers] = output[rows].index_select(1, self._classes[image])

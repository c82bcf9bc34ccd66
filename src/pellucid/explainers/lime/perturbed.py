"""What a network says of images of which segments are hidden, in batches that are always full."""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pellucid.batch import Batch
from pellucid.probe import Probe

Output = Literal["probability", "logit"]


class Perturbed:
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

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
import torch

from pellucid.data import Decoding, Split, TensorSplit, load, with_random_labels
from pellucid.errors import DataError


def test_labels_are_dealt_out_and_nothing_else_changes() -> None:
    split = load("digits").train
    dealt = with_random_labels(split)
    assert torch.equal(dealt.labels.bincount(), split.labels.bincount())
    assert 0.05 < float((dealt.labels == split.labels).double().mean()) < 0.15
    rows = [torch.tensor([3, 1])]
    (before,), (after,) = split.batches(rows), dealt.batches(rows)
    assert torch.equal(before.x, after.x)
    assert torch.equal(before.index, after.index)
    assert after.y.tolist() == dealt.labels[[3, 1]].tolist()
    assert dealt.fingerprint() != split.fingerprint()


def test_the_deal_follows_from_the_seed() -> None:
    split = load("digits").train
    assert with_random_labels(split, 2).fingerprint() == with_random_labels(split, 2).fingerprint()
    assert with_random_labels(split, 2).fingerprint() != with_random_labels(split, 3).fingerprint()
    nothing = TensorSplit(torch.zeros(0, 1, 2, 2), torch.zeros(0).long(), ("a",))
    assert len(with_random_labels(nothing)) == 0


def test_images_that_are_read_from_files_are_dealt_the_same(photos: Path) -> None:
    held, streamed = (load(photos, decoding=Decoding(memory=memory, workers=0)).train for memory in (2**30, 0))
    assert torch.equal(with_random_labels(held).labels, with_random_labels(streamed).labels)


@dataclass(frozen=True, eq=False)
class Borrowed:
    """A split of another make, which is all that it must be."""

    inner: Split

    def __len__(self) -> int:
        return len(self.inner)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def test_a_split_of_another_make_is_refused() -> None:
    message = "a Borrowed cannot be given random labels; only TensorSplit and StreamedSplit can"
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        with_random_labels(cast("Split", Borrowed(load("digits").train)))

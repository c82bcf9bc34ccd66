"""Images whose labels say nothing of them."""

from dataclasses import replace

import torch

from pellucid.data.split import Split
from pellucid.data.streamed import StreamedSplit
from pellucid.data.tensors import TensorSplit
from pellucid.errors import DataError
from pellucid.randomness import Noise, derive


def with_random_labels(split: Split, seed: int = 0) -> Split:
    """The same images with one another's labels, dealt out at random; every class keeps as many as it has."""
    if not isinstance(split, TensorSplit | StreamedSplit):
        raise DataError(
            f"a {type(split).__name__} cannot be given random labels; only TensorSplit and StreamedSplit can"
        )
    draws = Noise(derive(seed, "random labels"), torch.arange(len(split))).uniform(dtype=torch.float64)
    return replace(split, labels=split.labels[draws.argsort().to(split.labels.device)])

"""The handwritten digits that come with scikit-learn: nothing to fetch, seconds to train on."""

import torch
from torch import Tensor

from pellucid.data.datasets import Data, Request
from pellucid.data.split import held_out
from pellucid.data.tensors import TensorSplit

_TEST = 0.2
_SEED = 0


def load_digits(request: Request) -> Data:
    """1,797 gray digits of 8x8 pixels, from scikit-learn; a fifth of each class is for testing."""
    del request  # the split is part of the data set: everyone has the same
    from sklearn.datasets import load_digits as read  # importing scikit-learn takes a second

    images, labels = read(return_X_y=True)
    # sixteen ink levels and blank paper
    pixels = torch.from_numpy(images * (255 / 16)).round().to(torch.uint8).reshape(-1, 1, 8, 8)
    y = torch.from_numpy(labels).long()
    held = held_out(y, _TEST, _SEED)
    return Data("digits", _split(pixels[~held], y[~held]), _split(pixels[held], y[held]))


def _split(pixels: Tensor, labels: Tensor) -> TensorSplit:
    return TensorSplit(pixels, labels, tuple("0123456789"))

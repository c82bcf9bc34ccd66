"""How images lie in memory."""

import pytest
import torch

from networks import images
from pellucid.autograd.layout import channels_first, channels_last


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_the_same_however_they_lie(channels: int) -> None:
    x = images(2, channels, 4, 5)
    last = channels_last(x)
    assert torch.equal(last, x)
    assert last.stride() == (20 * channels, 1, 5 * channels, channels)
    first = channels_first(last)
    assert torch.equal(first, x)
    assert first.stride() == (20 * channels, 20, 5, 1)
    assert channels_first(x).data_ptr() == x.data_ptr(), "nothing is copied for nothing"


def test_what_is_no_image_is_left_alone() -> None:
    x = torch.arange(6.0).view(2, 3)
    assert torch.equal(channels_first(x.t()), x.t())
    assert channels_first(x.t()).is_contiguous()

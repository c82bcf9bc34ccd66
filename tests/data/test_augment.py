import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from chance import rare
from pellucid.batch import Batch
from pellucid.data import AUGMENTATIONS, Augmentation, Flip, PadCrop, RandomResizedCrop
from pellucid.errors import ConfigError
from pellucid.randomness import Noise

EVERY = [Flip(), PadCrop(), PadCrop(2, "zero"), RandomResizedCrop()]


def images(count: int = 16, height: int = 9, width: int = 7, **columns: Tensor) -> Batch:
    x = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))
    return Batch(x, torch.zeros(count).long(), {"index": torch.arange(count) + 100, **columns})


def noise(batch: Batch, seed: int = 0) -> Noise:
    return Noise(seed, batch.index)


def applied(augmentation: Augmentation, batch: Batch, seed: int = 0) -> Batch:
    return augmentation(batch, noise(batch, seed))


def test_the_registry_lists_every_kind():
    assert set(AUGMENTATIONS.values()) == {Flip, PadCrop, RandomResizedCrop}
    assert all(isinstance(AUGMENTATIONS[name](), Augmentation) for name in AUGMENTATIONS)
    assert Augmentation.registry == "pellucid.data:AUGMENTATIONS"


@pytest.mark.parametrize("augmentation", EVERY, ids=repr)
class TestEvery:
    def test_pixels_stay_within_bounds(self, augmentation: Augmentation):
        batch = images()
        Batch(applied(augmentation, batch).x, batch.y)  # refuses others
        ones = batch.at(torch.ones_like(batch.x))
        assert applied(augmentation, ones).x.max() <= 1

    def test_labels_and_other_columns_stay(self, augmentation: Augmentation):
        batch = images(weight=torch.arange(16.0), wrong_size=torch.rand(16, 4, 4))
        after = applied(augmentation, batch)
        assert after.y is batch.y
        assert all(torch.equal(after.columns[name], batch.columns[name]) for name in batch.columns)
        assert not torch.equal(after.x, batch.x)

    def test_an_image_does_not_see_its_batch(self, augmentation: Augmentation):
        batch = images()
        order = torch.tensor([5, 0, 11])
        few = Batch(batch.x[order], batch.y[order], {"index": batch.index[order]})
        assert torch.equal(applied(augmentation, few).x, applied(augmentation, batch).x[order])

    def test_the_seed_decides(self, augmentation: Augmentation):
        batch = images()
        assert torch.equal(applied(augmentation, batch).x, applied(augmentation, batch).x)
        assert not torch.equal(applied(augmentation, batch).x, applied(augmentation, batch, seed=1).x)

    def test_maps_move_with_the_image(self, augmentation: Augmentation):
        batch = images()
        batch = (
            batch.with_column("color", batch.x)
            .with_column("gray", batch.x[:, 1])
            .with_column("double", batch.x.double())
        )
        after = applied(augmentation, batch)
        assert torch.equal(after.column("color"), after.x)
        assert torch.equal(after.column("gray"), after.x[:, 1])
        assert after.column("double").dtype == torch.float64
        torch.testing.assert_close(after.column("double").float(), after.x)

    @pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
    def test_masks_move_and_keep_their_values(self, augmentation: Augmentation, dtype: torch.dtype):
        mask = (torch.arange(7).expand(16, 9, 7) >= 3).to(dtype)
        batch = images()
        batch = batch.at(mask[:, None].expand(-1, 3, -1, -1).float()).with_column("mask", mask)
        after = applied(augmentation, batch)
        assert after.column("mask").dtype == dtype
        assert set(after.column("mask").unique().tolist()) <= {0, 1}
        sure = (after.x[:, 0] == 0) | (after.x[:, 0] == 1)  # not on the seam, where the image has a mean
        assert torch.equal(after.column("mask")[sure].float(), after.x[:, 0][sure])

    def test_half_precision(self, augmentation: Augmentation):
        batch = images()
        after = applied(augmentation, batch.at(batch.x.half()))
        assert after.x.dtype == torch.float16
        torch.testing.assert_close(after.x.float(), applied(augmentation, batch).x, atol=2e-3, rtol=0)

    def test_an_empty_batch(self, augmentation: Augmentation):
        assert applied(augmentation, images(0)).x.shape == (0, 3, 9, 7)


def test_flipping_never_always_and_sometimes():
    batch = images(2000, 1, 2)
    assert torch.equal(applied(Flip(0.0), batch).x, batch.x)
    assert torch.equal(applied(Flip(1.0), batch).x, batch.x.flip(-1))
    kept = (applied(Flip(0.3), batch).x == batch.x).all((1, 2, 3))
    assert not rare(int(kept.sum()), 2000, 0.7)


def test_flipping_twice_is_nothing():
    batch = images()
    assert torch.equal(applied(Flip(), applied(Flip(), batch)).x, batch.x)


@settings(max_examples=30)
@given(st.integers(0, 5), st.sampled_from(["replicate", "zero"]), st.integers(1, 8), st.integers(1, 8))
def test_a_shift_is_a_crop_of_the_padded_image(pad: int, fill: Literal["replicate", "zero"], height: int, width: int):
    assume(pad < min(height, width))  # else nothing of the image may be left
    batch = images(6, height, width)
    mode = {"replicate": "replicate", "zero": "constant"}[fill]
    padded = torch.nn.functional.pad(batch.x, (pad, pad, pad, pad), mode=mode)
    shift = noise(batch).stream("pad-crop").integers(2 * pad + 1, 2).tolist()
    expected = [
        image[:, top : top + height, left : left + width] for image, (top, left) in zip(padded, shift, strict=True)
    ]
    assert torch.equal(applied(PadCrop(pad, fill), batch).x, torch.stack(expected))


def test_shifts_reach_every_offset():
    batch = images(600, 3, 3)
    shift = noise(batch).stream("pad-crop").integers(5, 2)
    assert len(shift.unique(dim=0)) == 25


def test_the_whole_image_is_a_crop():
    batch = images(4, 8, 8)
    whole = RandomResizedCrop(scale=(1.0, 1.0), ratio=(1.0, 1.0))
    torch.testing.assert_close(applied(whole, batch).x, batch.x, atol=1e-5, rtol=0)


def test_crops_have_the_areas_and_ratios_asked_for():
    height = width = 64
    rows = torch.linspace(0, 1, height)[:, None].expand(-1, width)
    ramps = torch.stack([rows, rows.T, rows]).expand(300, -1, -1, -1)
    batch = images(300, height, width).at(ramps)
    after = applied(RandomResizedCrop(scale=(0.2, 0.4), ratio=(0.5, 2.0)), batch).x
    tall = after[:, 0, -1, 0] - after[:, 0, 0, 0]
    wide = after[:, 1, 0, -1] - after[:, 1, 0, 0]
    area, ratio = tall * wide, wide / tall
    assert 0.18 < area.min() < 0.21
    assert 0.38 < area.max() < 0.41
    assert 0.49 < ratio.min() < 0.55
    assert 1.8 < ratio.max() < 2.05
    assert after[:, 0, 0, 0].min() < 0.02  # some crops touch the top
    assert after[:, 0, -1, 0].max() > 0.98  # and others the bottom


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Flip(1.5), "flip has the probability 1.5; give one from 0 to 1"),
        (lambda: PadCrop(-1), "pad-crop has the pad -1; give 0 or more pixels"),
        (
            lambda: RandomResizedCrop(scale=(0.5, 0.2)),
            "random-resized-crop has the scale (0.5, 0.2); give two rising areas within (0, 1]",
        ),
        (
            lambda: RandomResizedCrop(ratio=(0.0, 2.0)),
            "random-resized-crop has the ratio (0.0, 2.0); give two rising ratios above 0",
        ),
    ],
)
def test_refusals(build: Callable[[], Any], message: str):
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        build()


def test_values_compare():
    assert replace(PadCrop(), pad=2) == PadCrop(2)

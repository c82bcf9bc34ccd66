from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pellucid.data import Split, TensorSplit, holdout, sequential, statistics
from pellucid.errors import ConfigError, DataError, LabelError, PixelError, ShapeError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]


def read(split: Split, size: int = 7) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    parts = [(batch.x, batch.y, batch.index) for batch in split.batches(sequential(split, size))]
    x, y, index = (torch.cat(rows) for rows in zip(*parts, strict=True))
    return x, y, index


def test_a_split_is_one(toy: TensorSplit):
    assert isinstance(toy, Split)
    assert (len(toy), toy.shape, toy.classes) == (40, (3, 4, 5), ("ape", "bee", "cow"))


def test_batches_are_the_pixels_over_255(toy: TensorSplit):
    x, y, index = read(toy)
    assert x.dtype == torch.float32
    assert torch.equal(x, toy.pixels / 255)
    assert torch.equal(y, toy.labels)
    assert torch.equal(index, torch.arange(40))


def test_every_byte_becomes_a_float_within_bounds():
    split = TensorSplit(torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16), torch.zeros(1).long(), ("a",))
    x = read(split)[0]
    assert x.min() == 0
    assert x.max() == 1
    assert torch.equal((x * 255).round().flatten(), torch.arange(256.0))


def test_floats_stay_as_they_are(toy: TensorSplit):
    floats = toy.pixels.double() / 255
    split = TensorSplit(floats, toy.labels, toy.classes)
    assert torch.equal(read(split)[0], floats.float())


@given(st.data())
def test_taking_twice_is_taking_the_taken(data: st.DataObject):
    labels = torch.arange(12) % 3
    split = TensorSplit(torch.arange(12, dtype=torch.uint8).reshape(12, 1, 1, 1), labels, ("a", "b", "c"))
    first = torch.tensor(data.draw(st.lists(st.integers(0, 11), min_size=1)))
    second = torch.tensor(data.draw(st.lists(st.integers(0, len(first) - 1), min_size=1)))
    taken = split.take(first).take(second)
    x, y, index = read(taken)
    assert torch.equal(index, first[second])
    assert torch.equal((x.flatten() * 255).round().long(), index)
    assert torch.equal(y, labels[index])
    assert taken.fingerprint() == split.take(first[second]).fingerprint()


@pytest.mark.parametrize("size", [1, 7, 40, 100])
def test_a_sequential_plan_is_everything_in_order(toy: TensorSplit, size: int):
    plan = sequential(toy, size)
    assert torch.equal(torch.cat(plan), torch.arange(40))
    assert all(len(chunk) == size for chunk in plan[:-1])


def test_an_empty_split_has_an_empty_plan(toy: TensorSplit):
    assert sequential(toy.take(0), 5) == []


def test_the_first_few_are_at_most_all(toy: TensorSplit):
    assert torch.equal(read(toy.take(3))[2], torch.arange(3))
    assert toy.take(99).fingerprint() == toy.fingerprint()


def test_columns_travel(toy: TensorSplit):
    maps = torch.rand(40, 4, 5, generator=torch.Generator().manual_seed(1))
    taken = toy.with_column("reference", maps).take(torch.tensor([7, 3, 3]))
    (batch,) = taken.batches([torch.tensor([1, 0])])
    assert torch.equal(batch.column("reference"), maps[[3, 7]])
    assert batch.index.tolist() == [3, 7]


def test_moving_keeps_everything(toy: TensorSplit):
    split = toy.with_column("reference", torch.ones(40, 2))
    assert split.to("cpu").fingerprint() == split.to(torch.device("cpu")).fingerprint() == split.fingerprint()


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_a_gpu_gives_the_same_bits(toy: TensorSplit):
    there = toy.to("cuda")
    assert there.fingerprint() == toy.fingerprint()
    assert all(torch.equal(a.cpu(), b) for a, b in zip(read(there), read(toy), strict=True))


def test_the_fingerprint_is_of_the_content(toy: TensorSplit):
    other = toy.pixels.clone()
    other[3, 1, 2, 2] ^= 1
    changed = [
        replace(toy, pixels=other),
        replace(toy, labels=toy.labels.flip(0)),
        replace(toy, classes=("a", "b", "c")),
        replace(toy, pixels=toy.pixels.reshape(40, 3, 5, 4)),
        replace(toy, origin="elsewhere"),
        toy.take(39),
        toy.take(torch.arange(40).flip(0)),
        toy.with_column("reference", torch.zeros(40)),
        toy.with_column("mask", torch.zeros(40)),
    ]
    assert len({split.fingerprint() for split in [toy, *changed]}) == len(changed) + 1
    assert replace(toy, pixels=toy.pixels.clone()).fingerprint() == toy.fingerprint()


@settings(max_examples=50)
@given(
    st.lists(st.integers(0, 3), min_size=2, max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 9),
)
def test_a_holdout_is_disjoint_stratified_and_repeatable(labels: list[int], fraction: float, seed: int):
    y = torch.tensor([*labels, 0, 0])
    split = TensorSplit(torch.zeros(len(y), 1, 1, 1, dtype=torch.uint8), y, ("a", "b", "c", "d"))
    train, validation = holdout(split, fraction, seed)
    kept, held = read(train)[2], read(validation)[2]
    assert sorted([*kept.tolist(), *held.tolist()]) == list(range(len(y)))
    assert torch.equal(kept, kept.sort().values)
    for label in range(4):
        members, count = int((y == label).sum()), int((y[held] == label).sum())
        assert abs(count - fraction * members) <= max(0.5, fraction, 1 - fraction) + 1e-9
        assert members < 2 or 0 < count < members
    assert holdout(split, fraction, seed)[0].fingerprint() == train.fingerprint()


def test_another_seed_holds_out_others(toy: TensorSplit):
    assert holdout(toy, 0.3, 0)[1].fingerprint() != holdout(toy, 0.3, 1)[1].fingerprint()


def test_statistics_are_those_of_all_pixels(toy: TensorSplit):
    x = read(toy)[0].double()
    mean, spread = statistics(toy)
    torch.testing.assert_close(torch.tensor(mean), x.mean((0, 2, 3)).float())
    torch.testing.assert_close(torch.tensor(spread), x.std((0, 2, 3), correction=0).float())


def test_statistics_of_many_images_use_ten_thousand():
    pixels = (torch.arange(30_000) % 3).to(torch.uint8).reshape(-1, 1, 1, 1) * 100
    split = TensorSplit(pixels, torch.zeros(30_000).long(), ("a",))
    assert statistics(split) == ((0.0,), (0.0,))  # every third image is black


def test_refusals(toy: TensorSplit, raises: Raises):
    bytes_, labels, classes = toy.pixels, toy.labels, toy.classes
    with raises(ShapeError, "images have the shape (40, 60); give them as (n, c, h, w)"):
        TensorSplit(bytes_.flatten(1), labels, classes)
    with raises(PixelError, "this split holds torch.int32 pixels; divide by 255 for floats in [0, 1]"):
        TensorSplit(bytes_.int(), labels, classes)
    with raises(
        PixelError,
        "this split has pixels from 0 to 255; they must lie in [0, 1]: divide by 255, "
        "and put normalization inside the model",
    ):
        TensorSplit(bytes_.float(), labels, classes)
    with raises(ShapeError, "'labels' has 39 rows for 40 images; each image needs one"):
        TensorSplit(bytes_, labels[1:], classes)
    with raises(LabelError, "this split has the label 2 and 2 classes; labels run from 0 to 1"):
        TensorSplit(bytes_, labels, ("a", "b"))
    with raises(ShapeError, "'reference' has 3 rows for 40 images; each image needs one"):
        toy.with_column("reference", torch.zeros(3))
    with raises(ShapeError, "a column cannot be called 'index', which every batch has already; choose another name"):
        toy.with_column("index", torch.zeros(40))
    with raises(ShapeError, "cannot take the first -1 images; give 0 or more, or a tensor of positions"):
        toy.take(-1)
    with raises(ShapeError, "there is no image at position 40 of 40; positions run from 0 to 39"):
        toy.take(torch.tensor([40]))
    with raises(ShapeError, "there is no image at position -2 of 40; positions run from 0 to 39"):
        toy.take(torch.tensor([3, -2]))
    with raises(ShapeError, "take was given a 1-dimensional tensor of torch.bool; give one row of positions"):
        toy.take(labels == 1)
    with raises(ConfigError, "batches of 0 images cannot be planned; give a size of 1 or more"):
        sequential(toy, 0)
    with raises(ConfigError, "a fraction of 1.0 cannot be held out; give one between 0 and 1"):
        holdout(toy, 1.0, 0)
    with raises(DataError, "of 1 image none can be held out: no class has two; add images"):
        holdout(toy.take(1), 0.5, 0)
    with raises(DataError, "a split without images has no mean; load one with images"):
        statistics(toy.take(0))

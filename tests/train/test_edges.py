"""Maps of edges: where they are zero, where they are largest, and how they move with their image."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from torch import Tensor

from networks import images
from pellucid import config, data
from pellucid.batch import Batch
from pellucid.data import Flip, PadCrop, TensorSplit
from pellucid.errors import ConfigError, DataError
from pellucid.randomness import Noise
from pellucid.train.references import Edges, Reference, permuted, thresholded
from pellucid.train.references.edges import edges

DIGITS = data.load("digits").train.take(40)


def split_of(x: Tensor) -> TensorSplit:
    return TensorSplit(x, torch.zeros(len(x), dtype=torch.long), ("a",))


def pixels(split: TensorSplit | data.Split) -> Tensor:
    (batch,) = split.batches([torch.arange(len(split))])
    return batch.x


# the map


@given(st.floats(0, 1), st.integers(1, 3), st.integers(1, 12), st.integers(1, 12))
def test_where_nothing_changes_there_is_no_edge(value: float, channels: int, height: int, width: int) -> None:
    x = torch.full((2, channels, height, width), value)
    assert torch.equal(edges(x), torch.zeros_like(x))


def test_a_step_has_its_edge_where_it_is_and_nowhere_else() -> None:
    x = torch.zeros(1, 1, 24, 24, dtype=torch.float64)
    x[..., 12:] = 1
    found = edges(x)[0, 0]
    assert found.argmax(1).unique().tolist() in ([11], [12], [11, 12])
    assert torch.allclose(found[:, 11], found[:, 12]), "it lies between both"
    assert torch.equal(found, found[:1].expand_as(found)), "and is the same all along"
    assert torch.equal(found[:, :2], torch.zeros_like(found[:, :2]))
    assert torch.equal(found[:, -2:], torch.zeros_like(found[:, :2]))
    assert torch.allclose(edges(x.mT), edges(x).mT)


def test_a_slope_is_as_high_as_it_is_steep() -> None:
    x = (torch.arange(30.0) / 30).expand(1, 1, 30, 30)
    assert torch.allclose(edges(x)[0, 0, :, 12:18], torch.tensor(1 / 30))
    assert torch.allclose(edges(x + x.mT)[0, 0, 12:18, 12:18], torch.tensor(2**0.5 / 30))


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 20, 13), (1, 2, 5)])
def test_it_is_what_scipy_makes_of_both_filters(shape: tuple[int, int, int], sigma: float) -> None:
    x = images(3, *shape)
    expected: list[Tensor] = []
    for one in x.numpy():
        blur = [ndimage.gaussian_filter(channel, sigma, mode="nearest", radius=int(4 * sigma)) for channel in one]
        slopes = [ndimage.sobel(channel, axis, mode="nearest") / 8 for channel in blur for axis in (0, 1)]
        steep = sum(slope**2 for slope in slopes) ** 0.5
        again = ndimage.gaussian_filter(steep, sigma, mode="nearest", radius=int(4 * sigma))
        expected.append(torch.from_numpy(again).expand(shape))
    assert torch.allclose(edges(x, sigma), torch.stack(expected), rtol=1e-9, atol=1e-12)


def test_channels_have_one_map_in_common() -> None:
    x = images(4, 3, 8, 8)
    found = edges(x)
    assert found.shape == x.shape and torch.equal(found[:, :1].expand_as(found), found)
    gray = images(4, 1, 8, 8)
    assert torch.allclose(edges(gray.expand(-1, 3, -1, -1)), 3**0.5 * edges(gray).expand(-1, 3, -1, -1))
    assert torch.allclose(edges(x[:, [2, 0, 1]]), found)


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([(8, 8), (3, 7), (1, 1), (2, 9)]))
def test_it_turns_and_flips_with_its_image(seed: int, size: tuple[int, int]) -> None:
    x = images(2, 2, *size, seed=seed)
    for sides in ([3], [2], [2, 3]):
        assert torch.equal(edges(x.flip(sides)), edges(x).flip(sides))
    assert torch.allclose(edges(x.mT), edges(x).mT)
    assert torch.allclose(edges(1 - x), edges(x)), "which side is brighter makes no difference"
    assert torch.allclose(edges(0.3 * x + 0.2), 0.3 * edges(x))
    assert bool((edges(x) >= 0).all())


# the source


def test_maps_are_the_edges_of_the_split_s_images() -> None:
    maps = Edges().maps(DIGITS)
    assert maps.dtype == torch.float32 and torch.equal(maps, edges(pixels(DIGITS)))
    assert torch.equal(Edges(sigma=2.0).maps(DIGITS, seed=3), edges(pixels(DIGITS), 2.0))
    many = split_of(images(300, 1, 8, 8).float())  # more than are worked on at once
    assert torch.allclose(Edges().maps(many), edges(pixels(many)))
    assert torch.equal(Edges().maps(DIGITS.take(torch.tensor([7]))), maps[7:8])


def test_treatments_are_those_of_other_sources() -> None:
    plain = edges(pixels(DIGITS))
    assert torch.equal(Edges(threshold=1.0).maps(DIGITS), thresholded(plain, 1.0))
    mixed = Edges(permute=1.0).maps(DIGITS, seed=4)
    assert not torch.equal(mixed, plain)
    assert torch.equal(mixed.flatten(1).sort(1).values, plain.flatten(1).sort(1).values)
    assert not torch.equal(Edges(permute=1.0).maps(DIGITS, seed=5), mixed)
    assert torch.equal(permuted(plain, 0.0, Noise(0, torch.arange(40))), plain)


@given(st.integers(2, 40), st.integers(0, 1000))
def test_another_image_is_never_the_same_and_each_serves_once(count: int, seed: int) -> None:
    split = split_of(images(count, 1, 4, 4).float())
    own, others = Edges().maps(split), Edges(of="another").maps(split, seed)
    whose = [int((own == other).flatten(1).all(1).nonzero()) for other in others]
    assert sorted(whose) == list(range(count))
    assert all(number != other for number, other in enumerate(whose))


def test_which_other_image_follows_from_the_seed() -> None:
    first = Edges(of="another").maps(DIGITS, seed=1)
    assert torch.equal(Edges(of="another").maps(DIGITS, seed=1), first)
    assert not torch.equal(Edges(of="another").maps(DIGITS, seed=2), first)


def test_the_settings_say_it_all() -> None:
    for source in (Edges(), Edges(of="another", sigma=2.0, threshold=1.0, permute=0.5)):
        assert source.identified(DIGITS) == source
        assert config.build(Reference, config.dump(source)) == source


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_augmentation_moves_a_map_to_the_edges_of_the_moved_image(seed: int) -> None:
    y = torch.zeros(4, dtype=torch.long)
    x = images(4, 2, 6, 6, seed=seed)
    flipped = Flip(0.5)(Batch(x, y, {"reference": edges(x)}), Noise(seed, torch.arange(4)))
    assert torch.equal(flipped.column("reference"), edges(flipped.x))
    # so wide a rim that a crop cuts off nothing that an edge is made of
    wide = torch.nn.functional.pad(x, [13] * 4)
    for fill in ("zero", "replicate"):
        cropped = PadCrop(2, fill)(Batch(wide, y, {"reference": edges(wide)}), Noise(seed, torch.arange(4)))
        assert torch.allclose(cropped.column("reference"), edges(cropped.x), atol=1e-15)


@pytest.mark.parametrize(
    ("make", "kind", "message"),
    [
        (
            lambda: Edges(sigma=0.0),
            ConfigError,
            "Edges has sigma=0; a blur is above 0 pixels wide, and 100 at most",
        ),
        (
            lambda: Edges(threshold=-1.0),
            ConfigError,
            "Edges has threshold=-1; give deviations from the mean, or 0 to keep it all",
        ),
        (
            lambda: Edges(permute=2.0),
            ConfigError,
            "Edges has permute=2; give the share of entries to shuffle, from 0 to 1",
        ),
        (
            lambda: Edges(of="another").maps(DIGITS.take(1)),
            DataError,
            "this split has 1 image, and edges of another one need a second; take of='image'",
        ),
        (
            lambda: Edges().maps(DIGITS.take(0)),
            DataError,
            "this split has no images; find the edges of one or more",
        ),
    ],
)
def test_what_has_no_edges_is_refused(make: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{re.escape(message)}$"):
        make()

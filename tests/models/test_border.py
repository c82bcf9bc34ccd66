import re
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from networks import listed, side_of
from pellucid.errors import ConfigError, ShapeError
from pellucid.models import MODELS, Normalize, build

SMALL = {
    "mlp": 1, "lenet": 4, "lenet-joo2023": 4, "simple-cnn": 4, "resnet18": 8, "preact-resnet44": 4,
    "wide-resnet-28-10": 4, "vit": 4, "alexnet": 63, "vgg16": 32,
}  # fmt: skip


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def test_without_mean_and_std_images_pass_as_they_are() -> None:
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert Normalize()(x) is x
    assert not Normalize().state_dict()


@given(st.floats(-2, 2), st.floats(0.1, 3))
def test_normalizing_images_is_undone_by_arithmetic(mean: float, std: float) -> None:
    x = torch.rand(2, 2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    normalized = Normalize((mean, 0.5), (std, 1.0)).double()(x)
    torch.testing.assert_close(normalized[:, 0] * std + mean, x[:, 0], rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(normalized[:, 1] + 0.5, x[:, 1])


def test_a_network_with_mean_and_std_sees_normalized_images() -> None:
    x = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    plain = build("mlp", shape=(3, 8, 8))
    normalizing = build("mlp", shape=(3, 8, 8), mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    by_hand = (x - torch.tensor([0.1, 0.2, 0.3])[:, None, None]) / torch.tensor([1.0, 2, 4])[:, None, None]
    torch.testing.assert_close(normalizing(x), plain(by_hand))


@pytest.mark.parametrize("name", MODELS)
def test_the_smallest_images_work_and_smaller_ones_are_refused(name: str) -> None:
    side = SMALL[name]
    network = listed(name, channels=1, side=side, mean=None, std=None).eval()
    assert network(torch.zeros(2, 1, side, side)).shape == (2, 10)
    message = f"images of 1x{side}x{side - 1} are too small; this network needs at least 1x{side}x{side}"
    with pytest.raises(ShapeError, match=exactly(message)):
        build(name, shape=(1, side, side - 1), mean=None, std=None)


@pytest.mark.parametrize("name", ["mlp", "lenet", "lenet-joo2023", "simple-cnn"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (2, 9, 11), (1, 12, 13), (1, 10, 28)])
def test_small_networks_take_images_of_any_shape(name: str, shape: tuple[int, int, int]) -> None:
    assert build(name, shape=shape, classes=4).eval()(torch.zeros(3, *shape)).shape == (3, 4)


@pytest.mark.parametrize("name", MODELS)
def test_images_of_another_shape_are_refused(name: str) -> None:
    side = side_of(name, 16)
    network = listed(name, side=16)
    message = (
        f"the network got images of 1x16x20 and expects 3x{side}x{side}; "
        "build it with shape=(1, 16, 20), or convert the images"
    )
    with pytest.raises(ShapeError, match=exactly(message)):
        network(torch.zeros(2, 1, 16, 20))


def test_a_single_image_is_refused() -> None:
    message = "the network got a tensor of 1x28x28; it expects batches of 1x28x28"
    with pytest.raises(ShapeError, match=exactly(message)):
        build("lenet")(torch.zeros(1, 28, 28))


def test_normalizing_refuses_other_channels() -> None:
    message = "images of 1 channels met a mean of 3; give one value per channel"
    with pytest.raises(ShapeError, match=exactly(message)):
        Normalize((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))(torch.zeros(2, 1, 4, 4))


def test_a_shape_has_three_sizes() -> None:
    with pytest.raises(ShapeError, match=exactly("shape=(28, 28) is not (channels, height, width)")):
        build("lenet", shape=(28, 28))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": 1}, "classes=1; a classifier tells at least 2 apart"),
        ({"mean": (0.5,)}, "mean=(0.5) and std=None; give both or neither"),
        (
            {"mean": (0.0, 1.0), "std": (1.0, 1.0)},
            "mean=(0, 1) has 2 values for 1 channels; give one per channel, "
            "or mean=None and std=None for images as they are",
        ),
        ({"mean": (0.5,), "std": (1.0, 1.0)}, "mean=(0.5) and std=(1, 1) differ in length; give one per channel"),
        ({"mean": (0.5,), "std": (0.0,)}, "std=(0) holds a value that is not positive; images are divided by it"),
    ],
)
def test_settings_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=exactly(message)):
        build("lenet", **options)

"""What a network says of its images, and how image files are scaled and cropped by it."""

import re
from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image
from torch import nn

from pellucid import Intake, with_intake
from pellucid.data.images import ImageFiles
from pellucid.errors import ConfigError, DataError
from pellucid.intake import intake_of


def test_a_network_says_it_by_an_attribute() -> None:
    intake = Intake((3, 8, 8), classes=("cat", "dog"))
    network = with_intake(nn.Linear(2, 2), intake)
    assert intake_of(network) is intake and intake_of(nn.Linear(2, 2)) is None
    assert not any("intake" in name for name in network.state_dict())


def test_a_layer_of_that_name_says_nothing() -> None:
    network = nn.Module()
    network.intake = nn.Linear(2, 2)
    assert intake_of(network) is None


def test_a_table_in_its_place_is_refused() -> None:
    network = nn.Linear(2, 2)
    vars(network)["intake"] = {"shape": (3, 8, 8)}
    message = "the attribute 'intake' of the network is a dict; make it a pellucid.Intake"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        intake_of(network)


def unchecked() -> None:
    """What somebody says whom no type checker stops."""
    intake = Intake()
    object.__setattr__(intake, "interpolation", "best")
    intake.__post_init__()


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Intake((3, 8, 0)),
            ConfigError,
            "shape=(3, 8, 0) is not (channels, height, width); give three numbers from 1 on",
        ),
        (lambda: Intake(crop=0), ConfigError, "crop=0 is no share of a picture; give one above 0, and 1 at most"),
        (lambda: Intake(crop=1.5), ConfigError, "crop=1.5 is no share of a picture; give one above 0, and 1 at most"),
        (
            unchecked,
            ConfigError,
            "'best' is no interpolation; take one of nearest, box, bilinear, hamming, bicubic, lanczos",
        ),
        (
            lambda: Intake(classes=("cat",)),
            DataError,
            "the network names 1 class; there may be from 2 to 65,536 of them",
        ),
    ],
)
def test_what_cannot_be_said(make: object, error: type[Exception], message: str) -> None:
    assert callable(make)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()


def read(path: Path, shape: tuple[int, int, int], intake: Intake) -> torch.Tensor:
    return ImageFiles(path.parent, (path.name,), shape, intake).decode(0)


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """40 wide and 20 high; each column has its number, times six."""
    columns = numpy.tile(6 * numpy.arange(40, dtype=numpy.uint8), (20, 1))
    Image.fromarray(columns).save(tmp_path / "ramp.png")
    return tmp_path / "ramp.png"


def test_the_share_that_is_kept_lies_at_the_center(ramp: Path) -> None:
    whole, half = (read(ramp, (1, 10, 10), Intake(crop=crop))[0, 5].double() for crop in (1.0, 0.5))
    # the middle square are the columns 10 to 30, and its half those of 15 to 25
    assert abs(float(whole.mean()) - 6 * 19.5) < 2 and abs(float(half.mean()) - 6 * 19.5) < 2
    assert float(half[-1] - half[0]) == 6 * 9 and float(whole[-1] - whole[0]) > 6 * 17


def test_an_image_of_the_right_size_is_cropped_too(ramp: Path) -> None:
    assert torch.equal(read(ramp, (1, 20, 40), Intake())[0, 0], torch.arange(40, dtype=torch.uint8) * 6)
    assert float(read(ramp, (1, 20, 40), Intake(crop=0.5))[0, 0, 0]) >= 6 * 9


def test_a_stretched_image_keeps_its_edges(ramp: Path) -> None:
    row = read(ramp, (1, 10, 10), Intake(stretched=True, interpolation="nearest"))[0, 5]
    assert row[0] < 6 * 4 and row[-1] > 6 * 36
    half = read(ramp, (1, 10, 10), Intake(stretched=True, crop=0.5, interpolation="nearest"))[0, 5]
    assert 6 * 10 <= half[0] <= 6 * 13 and 6 * 27 <= half[-1] <= 6 * 30


def test_interpolation_is_that_of_pillow(tmp_path: Path) -> None:
    noise = numpy.random.default_rng(0).integers(0, 256, (24, 24, 3), dtype=numpy.uint8)
    Image.fromarray(noise).save(tmp_path / "a.png")
    for name in ("nearest", "bilinear", "bicubic", "lanczos"):
        found = read(tmp_path / "a.png", (3, 9, 9), Intake(interpolation=name))
        expected = Image.fromarray(noise).resize((9, 9), Image.Resampling[name.upper()])
        assert torch.equal(found.permute(1, 2, 0), torch.from_numpy(numpy.array(expected))), name

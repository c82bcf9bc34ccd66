"""Your own network on your own images, and the weights there and back.

python examples/your_own_network.py            seconds
python examples/your_own_network.py --smoke    fewer

It makes a folder of images, one folder per class as you would have it, trains the network of the function below on
them as `pellucid train` does, opens the finished run again, and starts a second training from its weights.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import nn

from pellucid import accuracy, models, runs
from pellucid.randomness import Noise

COLORS = ("red", "green", "blue")


def build(classes: int = 3, width: int = 16) -> nn.Module:
    """Any function that returns a module from images in [0, 1] to logits; its options are the run's settings."""
    return nn.Sequential(
        nn.Conv2d(3, width, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(4 * width, classes),
    )


def paint(folder: Path, count: int) -> None:
    """Noise with a tinge, as PNG files: `folder/<class>/<number>.png`."""
    pixels = Noise(0, torch.arange(count)).integers(170, 24, 24, 3).to(torch.uint8)
    for channel, color in enumerate(COLORS):
        (folder / color).mkdir(parents=True)
        for number, image in enumerate(pixels):
            image[..., channel] += 30
            Image.fromarray(image.numpy()).save(folder / color / f"{number}.png")
            image[..., channel] -= 30


def trained(images: Path, out: Path, epochs: int, init: str = "") -> runs.RunFolder:
    """What `pellucid train standard --data images --model your_own_network:build --init ...` does."""
    options = {"data.source": str(images), "model.name": f"{__name__}:build", "model.init": init}
    # images of other sizes are scaled to 16x16, and the network takes twice its default width
    own = {"data.size": 16, "data.workers": 0, "model.options.width": 32, "recipe.epochs": epochs}
    spec, source = runs.prepare(runs.table("standard", options | own))
    folder = runs.RunFolder(out / spec.folder)
    for event in runs.execute(spec, source, folder, Fabric(accelerator="cpu", devices=1)):
        if isinstance(event, runs.Finished):
            print(f"{folder.path.name}: test accuracy {event.test}")
    return folder


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Train your own network on your own images.")
    parser.add_argument("--smoke", action="store_true", help="one epoch instead of ten")
    epochs = 1 if parser.parse_args(arguments).smoke else 10
    with tempfile.TemporaryDirectory() as place:
        images, out = Path(place) / "images", Path(place) / "runs"
        paint(images, count=40)
        first = trained(images, out, epochs)
        test = runs.load_data(first.spec().data).test
        # the settings in the folder say which function made it, and that may be called since it is this file's
        opened = models.load(str(first.path), trust=[__name__])
        print(f"opened again: test accuracy {accuracy(opened, test)}")
        trained(images, out, 1, init=str(first.path / "model.safetensors"))


if __name__ == "__main__":
    main()

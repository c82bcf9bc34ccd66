"""Draws `pictures/<explainer>.png` for every listed explainer while the documents are built.

MkDocs calls `on_files`. Small networks are trained on scikit-learn's digits, which takes seconds, and every explainer
is asked about the same three. The pictures are kept in `build/pictures/`, in a folder named by the code that draws
them, and drawn again where that has changed.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from PIL import Image
from torch import Tensor, nn

from pellucid import data, drawing, explainers
from pellucid.models import Normalize
from pellucid.models.vit import vit
from pellucid.probe import frozen

ROOT = Path(__file__).parents[1]
# Where the settings that photographs need are not those for images of 8 x 8 pixels. All others are the defaults.
SETTINGS: Mapping[str, tuple[str, ...]] = {
    "lime": ("segmentation.kind=pixels", "baseline=0.0", "output=logit", "masks=1000"),
    "normlime": (
        "lime.kind=lime",
        "lime.segmentation.kind=grid",
        "lime.segmentation.rows=8",
        "lime.segmentation.columns=8",
        "lime.baseline=0.0",
        "lime.output=logit",
        "lime.masks=500",
    ),
    "occlusion": ("window=3", "stride=1"),
    "rise": ("cells=4", "masks=2000", "centered=true"),
    "smooth": ("explainer.kind=integrated-gradients", "samples=20"),
    "integrated-gradients": ("steps=100",),
}
DIGITS = (3, 4, 8)
_LEARNED = 200  # training images that explainers which learn are shown


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Pictures join the files of the documents; those of explainers that are listed, and of no others."""
    for name, path in drawn(ROOT / "build" / "pictures").items():
        files.append(File.generated(config, f"pictures/{name}.png", abs_src_path=str(path)))
    return files


def drawn(folder: Path) -> dict[str, Path]:
    """The picture of every explainer, drawn where it is not there yet."""
    place = folder / _identity()
    place.mkdir(parents=True, exist_ok=True)
    paths = {name: place / f"{name}.png" for name in explainers.EXPLAINERS}
    missing = {name: path for name, path in paths.items() if not path.exists()}
    if missing:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # two would add in another order, and leave other last bits
        try:
            x, shown = _digits()
            convolutional, transformer = _trained(_convolutional), _trained(_transformer)
            for name, path in missing.items():
                unfinished = path.with_suffix(".unfinished")
                picture(name, transformer if name.startswith("attention") else convolutional, x, shown).save(
                    unfinished, "PNG"
                )
                unfinished.replace(path)
        finally:
            torch.set_num_threads(threads)
    return paths


def picture(name: str, model: nn.Module, learned: Tensor, shown: Tensor) -> Image.Image:
    """Digits, and beside each what one explainer says of the class that the network predicts."""
    explainer = explainers.named(name, SETTINGS.get(name, ()))
    found = explainer.fit(model, learned)(model, shown, "predicted")
    with frozen(model), torch.no_grad():
        sure = model(shown).softmax(1)
    row: list[drawing.Cell] = []
    for number in range(len(shown)):
        of = int(found.of[number])
        row.append(drawing.Cell(drawing.photograph(shown[number]), (f"{of} ({float(sure[number, of]):.0%})",)))
        values, scale = drawing.scaled(drawing.plane(found.map[number]))
        row.append(
            drawing.Cell(
                Image.fromarray(drawing.colored(values, signed=explainer.signed)), (f"full color: {scale:.2g}",)
            )
        )
        if found.image is not None:
            row.append(drawing.Cell(drawing.photograph(found.image[number]), ("image and map",)))
    return drawing.Sheet([""] * len(row), [row]).drawn()


def _convolutional() -> nn.Module:
    return nn.Sequential(
        Normalize((0.3,), (0.38,)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(64, 10),
    )


def _transformer() -> nn.Module:
    return vit(shape=(1, 8, 8), mean=(0.3,), std=(0.38,), patch=2, width=32, depth=2)


def _trained(build: Callable[[], nn.Module]) -> nn.Module:
    split = data.load("digits").train
    (batch,) = split.batches(data.sequential(split, len(split)))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = build()
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2 if build is _convolutional else 2e-3)
        generator = torch.Generator().manual_seed(0)
        for _ in range(15):
            for rows in torch.randperm(len(batch), generator=generator).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(batch.x[rows]), batch.y[rows]).backward()
                optimizer.step()
    return model.eval()


def _digits() -> tuple[Tensor, Tensor]:
    """Images to learn from, and the first test image of each digit that is shown."""
    digits = data.load("digits")
    (train,) = digits.train.batches([torch.arange(_LEARNED)])
    (test,) = digits.test.batches(data.sequential(digits.test, len(digits.test)))
    first = [int((test.y == digit).nonzero()[0]) for digit in DIGITS]
    return train.x, test.x[first]


def _identity() -> str:
    """A digest of all code that a picture depends on."""
    package = ROOT / "src" / "pellucid"
    folders = [package / name for name in ("explainers", "drawing", "attacks", "autograd", "norms")]
    code = [Path(__file__), *(path for folder in folders for path in sorted(folder.rglob("*.py")))]
    code += [package / name for name in ("probe.py", "randomness.py", "batch.py")]
    total = hashlib.sha256(torch.__version__.encode())
    for path in code:
        total.update(path.read_bytes())
    return total.hexdigest()[:16]

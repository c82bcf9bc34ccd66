"""The published explanations of Adversarial Explanations, as `pellucid explain` draws them."""

import json
import os
from pathlib import Path

import numpy
import pytest
from PIL import Image

from command import call

FOLDER = os.environ.get("PELLUCID_DATA")
pytestmark = [pytest.mark.data, pytest.mark.skipif(FOLDER is None, reason="PELLUCID_DATA names no folder of data")]


def pixels(path: Path | str) -> numpy.ndarray:
    with Image.open(path) as image:
        return numpy.array(image).astype(int)


@pytest.mark.slow
def test_the_command_draws_the_published_explanations(tmp_path: Path) -> None:
    published = Path(FOLDER or "") / "golden-ae"
    weights = str(Path(FOLDER or "") / "checkpoints" / "resnet44-all.pt")
    network = ["preact-resnet44", "--weights", weights, "--option", "activation=half-huber", "--shape", "3,32,32"]
    asked = ["--of", "all", "--explainer", "adversarial", "--device", "cpu", "--out", str(tmp_path), "--json"]
    found = json.loads(call("explain", *network, str(published / "_input.png"), *asked))["explanations"]
    files = sorted(published.glob("[0-9]_*.png"))
    assert [entry["of"] for entry in found] == [file.name[0] for file in files] and len(files) == 10
    for entry, file in zip(found, files, strict=True):
        (image,) = (path for path in entry["paths"] if path.endswith("-image.png"))
        assert abs(pixels(image) - pixels(file)).max() <= 1, file.name

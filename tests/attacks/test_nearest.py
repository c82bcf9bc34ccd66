"""The walk of Woods et al. against closed forms, their published explanations and measured distances."""

import math
import os
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from networks import images, linear
from pellucid.attacks import BelowChance, Misclassified, Nearest, Shell, woods2019
from pellucid.attacks.walk import Walk
from pellucid.errors import ConfigError
from pellucid.models import load
from pellucid.norms import RMS

FOLDER = os.environ.get("PELLUCID_DATA")
data = [pytest.mark.data, pytest.mark.skipif(FOLDER is None, reason="PELLUCID_DATA names no folder of data")]


def test_the_steps_are_those_of_the_paper() -> None:
    def lengths(steps: int, path: float) -> list[float]:
        walk = Walk(steps, path, 0.0, RMS(), False, 0.0)
        zero, slope = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        away = torch.tensor([False])
        return [RMS().size(walk.step(zero, zero, zero, slope, away, n)[0]).item() for n in range(steps)]

    walks = {(450, 20.0): (0.08869, 0.000197), (35, 0.5): (0.02778, 0.00079), (7, 0.01): (0.0025, 0.00036)}
    for (steps, path), (first, last) in walks.items():
        found = lengths(steps, path)
        assert sum(found) == pytest.approx(path, rel=1e-4)
        assert found[0] == pytest.approx(first, rel=1e-3)
        assert found[-1] == pytest.approx(last, rel=1e-2)
    assert sum(lengths(35, 0.5)[:17]) == pytest.approx(0.364, abs=1e-3)


@pytest.mark.parametrize("clip", [True, False])
def test_on_a_linear_network_it_comes_near_the_closed_form(clip: bool) -> None:
    model = linear(classes=2)
    x = 0.45 + 0.1 * images(6, 1, 3, 3, seed=4)
    y = model(x).argmax(1)
    (layer,) = (module for module in model if isinstance(module, nn.Linear))
    weight = (layer.weight[0] - layer.weight[1]).detach()
    exact = model(x).detach().diff(dim=1).squeeze(1).abs() / weight.norm() / math.sqrt(9)
    for goal in (Misclassified(), BelowChance()):  # of two classes, below chance is the other one
        found = Nearest(goal=goal, clip=clip)(model, x, y)
        assert found.reached.all()
        assert (found.distance >= exact * (1 - 1e-9)).all()
        assert (found.distance <= 1.05 * exact).all()


def test_a_shell_is_met_closely() -> None:
    model, x = linear(), 0.4 + 0.2 * images(4, 1, 3, 3)
    found = Shell(eps=0.1, clip=False)(model, x, torch.tensor([0, 1, 2, 3]))
    assert torch.allclose(found.distance, torch.full((4,), 0.1, dtype=torch.float64), atol=2e-3)
    confidence = found.after.softmax(1).diagonal()
    assert (confidence > found.before.softmax(1).diagonal()).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nearest(path=0), "Nearest has path=0; the lengths of its steps add up to more than 0"),
        (lambda: Nearest(momentum=1), "Nearest has momentum=1; it is a share in [0, 1)"),
        (lambda: Nearest(floor=-1), "Nearest has floor=-1; it is 0 or more"),
        (lambda: Nearest(steps=0), "Nearest has steps=0; a search takes 1 step or more"),
        (lambda: Shell(overshoot=0.5), "Shell has overshoot=0.5; a path shorter than eps cannot reach the shell"),
        (lambda: Shell(eps=0), "Shell has eps=0; a budget is a length above 0 in [0, 1] pixel units"),
    ],
)
def test_settings_that_make_no_walk(make: type[Nearest], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def published() -> nn.Module:
    weights = Path(FOLDER or "") / "checkpoints" / "resnet44-all.pt"
    return load("preact-resnet44", weights=weights, options={"activation": "half-huber"})


def originals(count: int) -> tuple[Tensor, Tensor]:
    with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
        x = torch.from_numpy(archive["x"][:count]).float() / 255
        return x, torch.from_numpy(archive["y"][:count]).long()


class TestPublished:
    pytestmark = data

    def test_the_published_explanations_come_out(self) -> None:
        x = originals(1)[0].expand(10, -1, -1, -1)
        found = woods2019.EXPLANATION(published(), x.contiguous(), torch.arange(10))
        files = sorted((Path(FOLDER or "") / "golden-ae").glob("[0-9]_*.png"))
        assert len(files) == 10
        for ours, file in zip(found.x, files, strict=True):
            theirs = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1).float()
            assert ((ours.clamp(0, 1) * 255).round() - theirs).abs().max() <= 1, file.name

    @pytest.mark.slow
    def test_the_published_distances_come_out(self) -> None:
        theirs = torch.tensor([0.00442, 0.02097, 0.02758, 0.01615, 0.02905, 0.05917, 0.02430, 0.05877, 0.00631, 0])
        ours = woods2019.ATTACK_AREA(published(), *originals(10)).distance
        assert torch.equal(ours == 0, theirs == 0)
        apart = (ours - theirs).abs() / theirs.clamp_min(1e-9)
        assert apart[theirs > 0].median() < 0.01
        assert apart[theirs > 0].max() < 0.15  # walks end in different valleys by rounding alone

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

from networks import images, linear, smooth
from pellucid import config
from pellucid.attacks import Attack, BelowChance, Misclassified, Nearest, Shell, woods2019
from pellucid.attacks.walk import Walk
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.models import load
from pellucid.norms import RMS
from pellucid.randomness import Noise
from pellucid.testing import AttackConformance

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


KEPT = ("nearest", "nearest-or-clean", "last")


def walked(keep: str, model: nn.Module, x: Tensor, y: Tensor, path: float = 0.3) -> Tensor:
    attack = Nearest(steps=7, trajectory=path, momentum=0, clip=False, floor=1e-8, keep=keep)
    return attack.points(model, Batch(x, y), noise=Noise(0, torch.arange(len(x))))


def published_walk(model: nn.Module, x: Tensor, y: Tensor, *, path: float, tracking: bool) -> Tensor:
    """The loop as it was published; `tracking` came after the published networks were trained."""
    d, best, best_square = torch.zeros_like(x), torch.zeros_like(x), torch.full((len(x),), 1e30, dtype=x.dtype)
    for number in range(7 + tracking):
        at = (x + d).detach().requires_grad_()
        logits = model(at)
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(logits, y, reduction="sum"), at)
        pushing = logits.argmax(1) == y
        square = d.square().mean((1, 2, 3))
        better = ~pushing & (square < best_square)
        best[better], best_square[better] = d[better], square[better]
        if number == 7:
            return x + best
        u = torch.where(pushing[:, None, None, None], gradient, -d)
        u = u / (1e-8 + u.square().mean((1, 2, 3), keepdim=True).sqrt())
        d = d + path * 2 * (7 - number) / (7 * 8) * u
    return x + d


@pytest.mark.parametrize("path", [0.02, 0.1, 1.0])
def test_what_is_kept_is_what_the_published_code_kept(path: float) -> None:
    model, x, y = smooth(), images(12, 1, 6, 6), torch.arange(12) % 4
    y[:8] = model(x[:8]).argmax(1)  # most are right at first, some wrong
    first, later = (published_walk(model, x, y, path=path, tracking=tracking) for tracking in (False, True))
    assert torch.allclose(walked("last", model, x, y, path), first, rtol=1e-12, atol=1e-12)
    assert torch.allclose(walked("nearest-or-clean", model, x, y, path), later, rtol=1e-12, atol=1e-12)


def test_what_is_kept_of_images_that_never_reach_the_goal() -> None:
    model, x = smooth(), images(8, 1, 6, 6)
    y = model(x).argmax(1)
    nearest, clean, last = (walked(keep, model, x, y, path=1e-4) for keep in KEPT)
    assert torch.equal(model(last).argmax(1), y), "too short a walk to reach anything"
    assert torch.equal(nearest, last) and torch.equal(clean, x)
    assert torch.allclose(RMS().size(last - x), torch.full((8,), 1e-4, dtype=torch.float64), rtol=0.01)


def test_what_is_kept_of_images_that_do_reach_it() -> None:
    model, x = smooth(), images(8, 1, 6, 6)
    y = model(x).argmax(1)
    nearest, clean, last = (walked(keep, model, x, y, path=3) for keep in KEPT)
    reached = model(nearest).argmax(1) != y
    assert int(reached.sum()) >= 6
    assert torch.equal(nearest[reached], clean[reached])
    assert not torch.equal(nearest[reached], last[reached])
    over = model(last).argmax(1) != y
    assert bool((RMS().size(last - x) >= RMS().size(nearest - x) - 1e-12)[over].all())


@pytest.mark.parametrize("keep", KEPT)
def test_images_that_are_wrong_already_are_kept(keep: str) -> None:
    model, x = smooth(), images(8, 1, 6, 6)
    y = (model(x).argmax(1) + 1) % 4
    assert torch.equal(walked(keep, model, x, y), x)


def test_the_last_point_needs_no_last_look_and_measures_no_distance() -> None:
    model, x = smooth(), images(4, 1, 6, 6)
    y = model(x).argmax(1)
    looks = {keep: Nearest(steps=5, trajectory=1, keep=keep)(model, x, y).forwards.min() for keep in KEPT}
    assert looks["nearest"] > looks["last"]
    assert [Nearest(keep=keep).nearest for keep in KEPT] == [True, True, False]


@pytest.mark.parametrize("keep", KEPT)
def test_what_is_kept_is_a_setting(keep: str) -> None:
    attack = Nearest(keep=keep)
    assert config.build(Attack, config.dump(attack)) == attack


class TestLast(AttackConformance):
    attack = Nearest(steps=20, trajectory=1.0, keep="last")


class TestNearestOrClean(AttackConformance):
    attack = Nearest(steps=20, trajectory=1.0, keep="nearest-or-clean")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Nearest(trajectory=0), "Nearest has trajectory=0; the lengths of its steps add up to more than 0"),
        (lambda: Nearest(momentum=1), "Nearest has momentum=1; it is a share in [0, 1)"),
        (lambda: Nearest(floor=-1), "Nearest has floor=-1; it is a small number, such as 1e-8, or 0 for none"),
        (lambda: Nearest(keep="neares"), "Nearest has keep='neares' (did you mean 'nearest'?)"),
        (lambda: Nearest(keep="best"), "Nearest has keep='best' (there are: last, nearest, nearest-or-clean)"),
        (lambda: Nearest(steps=0), "Nearest has steps=0; a search takes 1 step or more"),
        (
            lambda: Shell(overshoot=0.5),
            "Shell has overshoot=0.5; a trajectory shorter than eps cannot reach the "
            "shell, and one longer than 100 eps leads nowhere else",
        ),
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

    @pytest.mark.slow
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

"""Adversarial explanations: the closed form of linear networks, the published images, and pairs of classes."""

import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from networks import images, linear, smooth
from pellucid.attacks import woods2019
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.explainers import AdversarialExplanation, Gradient, SmoothGrad, pair
from pellucid.models import load
from pellucid.norms import L2, RMS, Linf

FOLDER = os.environ.get("PELLUCID_DATA")
X, Y = images(5, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0])


def test_towards_one_of_two_classes_a_linear_network_is_led_along_its_weights() -> None:
    """The gradient keeps its direction, so that the map is that direction at about the length asked for."""
    model, x = linear(classes=2), images(4, 1, 3, 3)
    weight = model.get_parameter("1.weight").detach()
    along = (weight[1] - weight[0]).view(1, 1, 3, 3).expand_as(x)
    for rho in (0.05, 0.1):
        found = AdversarialExplanation(rho)(model, x, 1).map
        assert torch.allclose(RMS().steepest(found), RMS().steepest(along))
        assert torch.allclose(RMS().size(found), torch.tensor(rho, dtype=torch.float64), rtol=0.02)
        away = AdversarialExplanation(rho)(model, x, 0).map
        assert torch.allclose(away, -found)


@pytest.mark.parametrize("norm", [L2(), Linf()])
def test_the_length_is_that_of_the_norm(norm: L2 | Linf) -> None:
    found = AdversarialExplanation(0.2, norm=norm)(smooth(), X, Y).map
    assert torch.allclose(norm.size(found), torch.tensor(0.2, dtype=torch.float64), rtol=0.05)


def test_image_and_map_are_one_and_the_class_grows_surer() -> None:
    model = smooth()
    found = AdversarialExplanation()(model, X, Y)
    assert found.image is not None
    assert torch.equal(found.image, X + found.map)
    before, after = (model(x).softmax(1).gather(1, Y[:, None]).detach() for x in (X, found.image))
    assert (after > before).all()
    assert torch.allclose(found.image, woods2019.EXPLANATION(model, X, Y).x)


def test_images_stay_within_bounds_only_where_clipped() -> None:
    x = images(4, 1, 6, 6).round()
    free, held = (AdversarialExplanation(0.3, clip=clip)(smooth(), x, 1).image for clip in (False, True))
    assert free is not None and held is not None
    assert float(free.min()) < 0
    assert float(held.min()) > -1e-12 and float(held.max()) < 1 + 1e-12


def test_a_pair_tells_how_sure_the_network_was_and_becomes() -> None:
    model = smooth()
    found = pair(AdversarialExplanation(), model, X, memory=20_000)
    logits = model(X).detach()
    first, second = logits.topk(2).indices.unbind(1)
    for side, of in ((found.predicted, first), (found.runner_up, second)):
        assert torch.equal(side.explanation.of, of)
        assert torch.allclose(side.explanation.map, AdversarialExplanation()(model, X, of).map)
        assert torch.allclose(side.before, logits)
        assert torch.allclose(side.probability_before, logits.softmax(1).gather(1, of[:, None])[:, 0])
        assert side.explanation.image is not None and side.probability_after is not None
        after = model(side.explanation.image).softmax(1).gather(1, of[:, None])[:, 0].detach()
        assert torch.allclose(side.probability_after, after)
        assert (side.probability_after > side.probability_before).all()


def test_where_no_image_is_led_to_a_pair_has_nothing_after() -> None:
    found = pair(Gradient(), smooth(), X)
    assert found.predicted.after is None and found.runner_up.probability_after is None
    assert not torch.equal(found.predicted.explanation.map, found.runner_up.explanation.map)


def test_numbers_of_images_reach_a_random_explainer() -> None:
    model, index = smooth(), torch.tensor([7, 3, 1, 0, 2])
    found = pair(SmoothGrad(samples=2), model, X, index=index, seed=4).predicted.explanation
    assert torch.equal(
        found.map, SmoothGrad(samples=2).on(model, Batch(X, Y, {"index": index}), "predicted", seed=4).map
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: AdversarialExplanation(rho=0),
            "AdversarialExplanation has rho=0; a length is above 0, in [0, 1] pixel units",
        ),
        (
            lambda: AdversarialExplanation(rho=math.inf),
            "AdversarialExplanation has rho=inf; a length is above 0, in [0, 1] pixel units",
        ),
        (
            lambda: AdversarialExplanation(steps=0),
            "AdversarialExplanation has steps=0; a search takes 1 step or more",
        ),
        (
            lambda: AdversarialExplanation(overshoot=0.5),
            "AdversarialExplanation has overshoot=0.5; a trajectory shorter than rho "
            "cannot reach it, and one longer than 100 rho leads nowhere else",
        ),
        (
            lambda: AdversarialExplanation()(smooth(), X, Y, create_graph=True),
            "maps of AdversarialExplanation cannot be differentiated; leave create_graph out",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make()


def published() -> nn.Module:
    weights = Path(FOLDER or "") / "checkpoints" / "resnet44-all.pt"
    return load("preact-resnet44", weights=weights, options={"activation": "half-huber"})


def unsigned(file: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1).float()


@pytest.mark.data
@pytest.mark.skipif(FOLDER is None, reason="PELLUCID_DATA names no folder of data")
class TestPublished:
    @pytest.mark.slow
    def test_the_measured_confidences_come_out(self) -> None:
        with np.load(Path(FOLDER or "") / "cifar10" / "cifar10-lossless-test-128.npz") as archive:
            x, y = (torch.from_numpy(archive[name][[2, 5, 8, 9]]) for name in ("x", "y"))
        x, model = x.float() / 255, published().eval()
        found = AdversarialExplanation()(model, x, y.long()).image
        with torch.no_grad():
            before, after = (model(z).softmax(1).gather(1, y.long()[:, None])[:, 0] for z in (x, found))
        assert before.tolist() == pytest.approx([0.293, 0.246, 0.206, 0.269], abs=6e-4)
        assert after.tolist() == pytest.approx([0.819, 0.857, 0.452, 0.866], abs=2e-3)

"""LIME against captum's, which is given the same masks and the same weights."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from captum._utils.models.linear_model import SkLearnRidge
from captum.attr import Lime as CaptumLime
from torch import Tensor

from networks import images, smooth
from pellucid.batch import Batch
from pellucid.explainers.lime import Grid, Lime
from pellucid.explainers.lime.sampling import drawn_masks, weights
from pellucid.randomness import Noise

MASKS = 400


@pytest.mark.parametrize("output", ["probability", "logit"])
@pytest.mark.parametrize("baseline", [0.0, 0.4])
def test_coefficients_are_theirs(output: str, baseline: float) -> None:
    x, model = images(3, 3, 20, 20), smooth(channels=3, size=20)
    lime = Lime(Grid(5, 5), masks=MASKS, baseline=baseline, output=output)  # pyright: ignore[reportArgumentType]
    found = lime.local(model, Batch(x, torch.zeros(3, dtype=torch.long)), classes=(0, 2))

    def answer(x: Tensor) -> Tensor:
        return model(x).softmax(1) if output == "probability" else model(x)

    for image in range(3):
        given = drawn_masks(Noise(0, torch.tensor([image])), 0, [25], antithetic=True)[0, :MASKS]

        def perturb(_inputs: Tensor, *, given: Tensor = given, **_: Any) -> Iterator[Tensor]:
            yield from given.long()[:, None]

        def similarity(_inputs: Tensor, _seen: Tensor, mask: Tensor, **_: Any) -> Tensor:
            return weights(mask.double().mean()[None], "cosine", 0.25)

        peer: Any = CaptumLime(answer, SkLearnRidge(alpha=1.0), similarity, perturb)
        for column, target in enumerate((0, 2)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                theirs = peer.attribute(
                    x[image : image + 1], target=target, baselines=baseline, n_samples=MASKS,
                    feature_mask=found.segments[image][None, None], return_input_shape=False,
                )  # fmt: skip
            ours = found.coefficients[image, column]
            # captum's answers and coefficients are float32
            assert torch.allclose(ours, theirs[0].double(), rtol=0, atol=2e-7)

"""Retraining networks of every kind: they are trained, or one line says why not."""

from pathlib import Path

import pytest
import torch

from kinds_of_networks import CLASSES, KINDS, SHAPE
from pellucid.data import Data, TensorSplit
from pellucid.errors import PellucidError
from pellucid.evaluate.retrain import Design, retrain
from pellucid.evaluate.retrain.by_name import rankings_named
from pellucid.objectives import CrossEntropy
from pellucid.train import Recipe, fit

pytestmark = [
    pytest.mark.filterwarnings("ignore:this network"),
    pytest.mark.filterwarnings("ignore:quantized.*an autograd kernel was not registered"),
    pytest.mark.filterwarnings("ignore:.*treespec"),
]

HALF = "the network has weights in half precision, in which small steps of training are lost; make it in float32, and"
UNTAUGHT = (
    "the network cannot be trained: nothing leads from its logits to its weights; give one that computes in torch"
)
WEIGHTLESS = "the network cannot be trained: it has no parameters that learn; give one that computes in torch"
UNMADE = {"lazy": "the network has lazy layers", "meta": "the network's weights are on the meta device"}
REFUSED = {
    **dict.fromkeys(("float16", "bfloat16", "mixed"), HALF),
    **dict.fromkeys(("detached", "no-grad", "inference-mode", "quantized"), UNTAUGHT),
    **dict.fromkeys(("numpy", "list"), WEIGHTLESS),
    **UNMADE,
    "made-in-inference-mode": "Inference tensors cannot be saved for backward",
    "whole-numbers": "the network returned bool numbers; it must return logits, which are floating-point",
    "one-number": r"the network returned shape \(\d,\) for \d images?; it must return \(images, classes\)",
    "one-class": "the network returns 1 logit and the data have 4 classes; build it with classes=4",
    "thousand-classes": "the network returns 1000 logits and the data have 4 classes; build it with classes=4",
    "complex": "the network returned complex64 numbers; it must return logits, which are floating-point",
    "not-finite": "became NaN or infinite in epoch 1",
    "a-text": r"the network returned str for \d images?; it must return \(images, classes\)",
    "elsewhere": "Cannot copy out of meta tensor",
    "other-size": "mat1 and mat2 shapes cannot be multiplied",
    "failing": "ValueError: never",
}


def images() -> TensorSplit:
    x = torch.rand(12, *SHAPE, generator=torch.Generator().manual_seed(1))
    return TensorSplit(x, torch.arange(12) % CLASSES, ("ant", "bee", "cat", "dog"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_retrained_or_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    data = Data(name="noise", train=images(), test=images())

    def retrained(kind: str) -> list[float]:
        fresh = KINDS[kind]
        ranking, recipe = rankings_named(["random"]), Recipe(epochs=2, batch=5)
        found = retrain(fresh(), lambda _: fresh(), data, ranking, recipe, tmp_path / kind, design=Design(seeds=2))
        return found.columns["accuracy"].tolist()

    if kind in REFUSED:
        with pytest.raises(PellucidError, match=REFUSED[kind]) as caught:
            retrained(kind)
        assert "\n" not in str(caught.value)
        return
    found = retrained(kind)
    assert len(found) == 2 * 5 * 2
    if kind in ALIKE:
        assert found == retrained("training-mode")


ALIKE = ("tuple", "auxiliary", "dict", "object", "maps", "two-at-least", "batch-of-one", "channels-last")
"""The plain network in another guise, which learns the same."""


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_trained_or_refused_in_one_line(kind: str) -> None:
    def trained() -> None:
        list(fit(KINDS[kind](), images(), CrossEntropy(), Recipe(epochs=1, batch=5)))

    if kind in REFUSED:
        with pytest.raises(PellucidError, match=REFUSED[kind]) as caught:
            trained()
        assert "\n" not in str(caught.value)
    else:
        trained()

"""Every kind of network with every way to look at it: it works, or ends in one line that says what to do."""

import functools
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kinds_of_networks import CLASSES, KINDS, SHAPE, plain
from pellucid import attacks, evaluate, explainers
from pellucid.data import TensorSplit
from pellucid.errors import NoGradients, PellucidError
from pellucid.evaluate.explanations import GradientBound, Insertion, MaxSensitivity, judge
from pellucid.evaluate.neurons import Probing, examine
from pellucid.explainers import EXPLAINERS, Explainer, NormLime
from pellucid.explainers.lime import Grid, Lime
from pellucid.ledger import Job
from pellucid.looking import WITHOUT_GRADIENTS
from pellucid.train.references import make

pytestmark = [
    pytest.mark.filterwarnings("ignore:this network"),
    pytest.mark.filterwarnings("ignore:quantized.*an autograd kernel was not registered"),
    pytest.mark.filterwarnings("ignore:.*treespec"),  # of torch, where an exported program is copied
]

X = torch.rand(5, *SHAPE, generator=torch.Generator().manual_seed(1))
WITHOUT = ("detached", "no-grad", "inference-mode", "numpy", "list", "quantized")
REFUSED = {
    "whole-numbers": "the network returned bool numbers; it must return logits, which are floating-point",
    "one-number": r"the network returned shape \(\d,\) for \d images?; it must return \(images, classes\)",
    "complex": "the network returned complex64 numbers; it must return logits, which are floating-point",
    "not-finite": "NaN or infinite",
    "a-text": r"the network returned str for \d images?; it must return \(images, classes\)",
    "lazy": "the network has lazy layers, whose weights are made when they first see an image; show it one",
    "meta": "the network's weights are on the meta device and have no values; make it on a real one",
    "elsewhere": "Cannot copy out of meta tensor",
    "other-size": "mat1 and mat2 shapes cannot be multiplied",
    "failing": r"the network \(Choosy\) failed on \d images? of 1x8x8: ValueError: never",
    "one-class": "the network has 1 class|has the label . and 1 class",
}
ONE_CLASS_WILL_DO = [("one-class", name) for name in ("explain", "occlusion", "decide", "references")]
"""One score has a slope, and figures that need no other."""
LAYERS = {
    "numpy": "has no layer",
    "list": "has no layer",
    "in-one-piece": "has no layer",
    "other-size": "has no layer",
    "three-exactly": "has no layer",
    "batch-of-one": "takes 1 image at once and no more, so its layers cannot be looked into",
}
"""Of which kinds no layer can be looked into, and what is said."""


def split_of(network: nn.Module) -> TensorSplit:
    """Images with the answers of the network as labels, where it gives any."""
    try:
        y = torch.as_tensor(
            evaluate.decide(network, TensorSplit(X, torch.zeros(5).long(), names())).columns["predicted"]
        )
    except PellucidError:
        y = plain()(X).argmax(1)
    return TensorSplit(X, y, names() if int(y.max()) < CLASSES else tuple(map(str, range(1000))))


def names() -> tuple[str, ...]:
    return ("ant", "bee", "cat", "dog")


def judged(network: nn.Module, split: TensorSplit, explainer: Explainer, *metrics: Any) -> list[float]:
    found = judge(network, split, {type(one).__name__: one for one in metrics}, explainer=explainer)
    return [value for record in found.values() for value in record.columns["value"].tolist()]


def measured(network: nn.Module, split: TensorSplit, attack: attacks.Attack) -> Tensor:
    record = evaluate.measure(network, split, attack, job=Job(3))
    assert record.accuracy.value == 1
    return record.columns["reached"].double()


def layers(network: nn.Module) -> tuple[str, ...]:
    return tuple(name for name, module in network.named_modules() if isinstance(module, nn.ReLU)) or ("relu",)


def examined(network: nn.Module, split: TensorSplit, attack: attacks.Attack | None) -> Tensor:
    found = examine(network, split, Probing(layers(network), attack=attack, targets=1, traced=2))
    (name,) = (name for name in found.activations.columns if name.startswith("at "))
    return found.activations.columns[name]


def counted(network: nn.Module, split: TensorSplit) -> Tensor:
    with TemporaryDirectory() as folder:
        found = evaluate.explain_split(network, split, NormLime(Lime(Grid(2, 2), masks=40)), Path(folder))
        return torch.cat([chunk["coefficients"] for chunk in found.chunks()])


def made(network: nn.Module, split: TensorSplit, explainer: Explainer) -> Tensor:
    with TemporaryDirectory() as folder:
        return make(network, split, explainer, Path(folder)).load()


def mapped(network: nn.Module, split: TensorSplit, explainer: Explainer) -> Tensor:
    return explainer(network, X, "predicted").map


Look = Callable[[nn.Module, TensorSplit], Any]
PGD = attacks.PGD(eps=0.05, steps=3)
WITH_GRADIENTS: Mapping[str, Look] = {
    "measure": lambda network, split: measured(network, split, PGD),
    "measure nearest": lambda network, split: measured(network, split, attacks.FMN(steps=4)),
    "judge": lambda network, split: judged(
        network, split, explainers.Gradient(), Insertion(), GradientBound(probes=2)
    ),
    "explain": lambda network, split: mapped(network, split, explainers.SmoothGrad(samples=3)),
    "attack neurons": lambda network, split: examined(
        network, split, attacks.PGD(eps=0.05, steps=2, goal=attacks.LowestLoss())
    ),
    "references": lambda network, split: made(network, split, explainers.Gradient()),
}
WITHOUT_ANY: Mapping[str, Look] = {
    "decide": lambda network, split: evaluate.decide(network, split).columns["confidence"],
    "measure blindly": lambda network, split: measured(network, split, attacks.Square(eps=0.05, queries=8)),
    "judge occlusion": lambda network, split: judged(
        network, split, explainers.Occlusion(), Insertion(), MaxSensitivity()
    ),
    "occlusion": lambda network, split: mapped(network, split, explainers.Occlusion()),
    "neurons": lambda network, split: examined(network, split, None),
    "normlime": counted,
}
ALIKE = {kind for kind in KINDS if kind not in (*REFUSED, *WITHOUT)} - {
    "thousand-classes",
    "batch-statistics",
    "in-one-piece",
    "rounded",
}
"""The kinds that are the plain network in another guise, so that they have its figures."""
ROUNDED = {"float16": 2e-2, "bfloat16": 0.1, "mixed": 0.1}


@functools.cache
def expected(name: str) -> Tensor:
    looks = {**WITH_GRADIENTS, **WITHOUT_ANY}
    return torch.as_tensor(looks[name](plain(), split_of(plain()))).double()


@pytest.mark.parametrize("name", [*WITH_GRADIENTS, *WITHOUT_ANY])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_works_or_ends_in_one_line(kind: str, name: str) -> None:
    network = KINDS[kind]()
    modes = [module.training for module in network.modules()]
    split = split_of(network)
    look = {**WITH_GRADIENTS, **WITHOUT_ANY}[name]
    if kind in LAYERS and "neurons" in name:
        ends(lambda: look(network, split), LAYERS[kind])
    elif (kind, name) in ONE_CLASS_WILL_DO:
        look(network, split)
    elif kind in REFUSED:
        ends(lambda: look(network, split), REFUSED[kind])
    elif kind in WITHOUT and name in WITH_GRADIENTS:
        ends(lambda: look(network, split), f"no gradient leads from .*{re.escape(WITHOUT_GRADIENTS)}", NoGradients)
    else:
        found = torch.as_tensor(look(network, split)).double()
        assert bool(found.isfinite().all())
        if kind in ALIKE:
            tolerance = ROUNDED.get(kind, 1e-4)
            assert torch.allclose(found, expected(name), rtol=tolerance, atol=tolerance), (found, expected(name))
    assert modes == [module.training for module in network.modules()]


def ends(look: Callable[[], object], message: str, error: type[Exception] = PellucidError) -> None:
    with pytest.raises(error, match=message) as caught:
        look()
    assert "\n" not in str(caught.value)


def test_what_is_named_for_networks_without_gradients_works_and_all_else_says_so() -> None:
    network = KINDS["detached"]()
    split = split_of(network)
    works: set[str] = set()
    for name in EXPLAINERS:
        small = {"lime": lambda: Lime(Grid(2, 2), masks=40), "rise": lambda: explainers.RISE(masks=8)}
        explainer: Explainer = small.get(name, EXPLAINERS[name])()
        if explainer.learns or name.startswith("attention"):  # of which the network has none
            continue
        try:
            found = explainer(network, X[:2], "predicted")
        except NoGradients:
            continue
        assert bool(found.map.any())
        works.add(name)
    assert {"occlusion", "rise", "lime"} <= works
    assert works - {"occlusion", "rise", "lime"} <= {"layer-activation"}
    with pytest.raises(NoGradients):
        evaluate.measure(network, split, attacks.AutoAttack(eps=0.05))


def test_the_page_names_every_kind_where_it_belongs() -> None:
    page = Path(__file__).parents[1] / "docs/how-to/own-network-and-weights.md"
    _, _, text = page.read_text(encoding="utf-8").partition("## What kinds of networks can be worked with")
    works, rest = text.split("These work without gradients.")
    blind, refused = rest.split("These are refused.")

    def named(part: str) -> set[str]:
        rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
        return {name for row in rows for name in re.findall("`(.*?)`", row)}

    assert named(works) == set(KINDS) - set(WITHOUT) - set(REFUSED)
    assert named(blind) == set(WITHOUT)
    assert named(refused) == set(REFUSED)

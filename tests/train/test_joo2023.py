"""That Local Gradient Alignment and the Hessian do on digits what they are for.

The published Softplus of beta 3 is so smooth that cross-entropy alone has nothing left to improve here; beta 20 and
far neighbors tell the methods apart.
"""

import json
import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from pellucid import cli
from pellucid.batch import Batch
from pellucid.data import load
from pellucid.evaluate.explanations import AdversarialSimilarity
from pellucid.explainers import Gradient
from pellucid.models import Normalize, build
from pellucid.models import load as load_model
from pellucid.objectives import (
    CrossEntropy,
    HessianNorm,
    LocalCosine,
    LocalDistance,
    Neighbor,
    Objective,
    Term,
    UniformNeighbor,
)
from pellucid.probe import Probe
from pellucid.runs import runs_in
from pellucid.train import RECIPES, Adam, Constant, Recipe, accuracy, fit
from seeds import SEEDS

# at their weights the terms add next to nothing to the first epoch on digits, and training says so
pytestmark = pytest.mark.filterwarnings("ignore:the term [a-z-]* added")
DIGITS = load("digits")
FAR = UniformNeighbor(eps=48 / 255)
OBJECTIVES = {
    "ce": Objective.of(CrossEntropy()),
    "alignment": CrossEntropy() + 0.01 * LocalDistance(FAR) + 1.0 * LocalCosine(FAR),
    "hessian": CrossEntropy() + 1e-3 * HessianNorm(),
}


@cache
def trained(name: str, seed: int) -> nn.Module:
    model = build("mlp", seed=seed, shape=(1, 8, 8), hidden=(64, 64), activation={"name": "softplus", "beta": 20})
    recipe = Recipe(epochs=8, batch=128, optimizer=Adam(lr=8e-3), schedule=Constant(), clip=0.5)
    list(fit(model, DIGITS.train, OBJECTIVES[name], recipe, seed=seed))
    return model.eval()


def similarity(one: Tensor, other: Tensor) -> Tensor:
    """The cosine between absolute gradients, per image."""
    return nn.functional.cosine_similarity(one.abs().flatten(1), other.abs().flatten(1))


@cache
def measured(name: str, seed: int) -> tuple[float, float, float]:
    """Accuracy, and the similarity of gradients to those at random and at searched points nearby."""
    model, some = trained(name, seed), DIGITS.test.take(200)
    (batch,) = some.batches([torch.arange(200)])

    def look(x: Tensor) -> Probe:
        return Probe(model, Batch.trusted(x.detach(), batch.y, {}))

    u = 2 * torch.rand(batch.x.shape, generator=torch.Generator().manual_seed(seed)) - 1
    clean = look(batch.x).gradient("label-logit").detach()
    there = similarity(clean, look(batch.x + 64 / 255 * u).gradient("label-logit")).mean()
    eps = 48 / 255
    delta = 1e-3 * u
    for _ in range(8):
        probe = look(batch.x + delta)
        (slope,) = torch.autograd.grad(similarity(clean, probe.gradient("label-logit")).sum(), probe.x)
        delta = (delta - eps / 3 * slope.sign()).clamp(-eps, eps)
    searched = similarity(clean, look(batch.x + delta).gradient("label-logit")).mean()
    return accuracy(model, DIGITS.test).value, float(there.detach()), float(searched.detach())


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("name", "margin"), [("alignment", 0.012), ("hessian", 0.04)])
def test_gradients_stay_what_they_are_nearby(name: str, margin: float, seed: int) -> None:
    before, after = measured("ce", seed), measured(name, seed)
    # of what is missing to 1 at random points a fifth must go; a third was the least seen, for alignment
    assert 1 - after[1] < 0.8 * (1 - before[1])
    assert after[2] > before[2] + margin
    assert after[0] > before[0] - 0.045


@pytest.mark.parametrize("seed", SEEDS)
def test_maps_withstand_the_published_attack_on_them(seed: int) -> None:
    """The paper's order by its own measure: a frame is drawn into the map, and the map compared with what it was."""
    (batch,) = DIGITS.test.take(50).batches([torch.arange(50)])
    attacked = AdversarialSimilarity(eps=48 / 255, steps=40, last=True)
    before, after = (
        attacked.on(trained(name, seed), batch, "label", explainer=Gradient()).mean.value
        for name in ("ce", "alignment")
    )
    # of what the attack takes away, at least a sixth must go; a quarter was the least seen, in 60 steps
    assert 1 - after < 5 / 6 * (1 - before)


@pytest.mark.parametrize("seed", SEEDS)
def test_alignment_does_not_live_on_shorter_gradients(seed: int) -> None:
    (batch,) = DIGITS.test.take(200).batches([torch.arange(200)])
    lengths = [
        float(Probe(trained(name, seed), batch).gradient("label-logit").detach().flatten(1).norm(dim=1).mean())
        for name in ("ce", "alignment")
    ]
    assert lengths[1] > 0.8 * lengths[0]


@pytest.mark.parametrize("name", ["local-gradient-alignment", "hessian"])
def test_the_recipes_train_from_the_command_line(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    module = f"mine_{name.replace('-', '_')}"
    (tmp_path / f"{module}.py").write_text(
        "from torch import nn\n\n"
        "def net(classes: int = 10) -> nn.Module:\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, classes))\n"
    )
    for model in ("mlp", f"{module}:net"):
        command = ["train", name, "--model", model, "--set", "recipe.epochs=1", "--json"]
        result = CliRunner().invoke(cli.cli, command, catch_exceptions=False)
        assert result.exit_code == 0
        run = max(runs_in(Path("runs")), key=lambda run: run.path.stat().st_mtime)
        again = load_model(str(run.path))
        assert next(module.beta for module in again.modules() if isinstance(module, nn.Softplus)) == 3
        assert not any(isinstance(module, nn.ReLU) for module in again.modules())
        command = [
            "measure",
            str(run.path),
            "--attack",
            "pgd",
            "--eps",
            "0.1",
            "--n",
            "20",
            "--no-verdicts",
            "--json",
        ]
        result = CliRunner().invoke(cli.cli, command, catch_exceptions=False)
        assert json.loads(result.stdout)["images"] == 20


def test_the_recipes_have_the_papers_weights_for_the_networks_own_pixels() -> None:
    alignment, hessian = RECIPES["local-gradient-alignment"], RECIPES["hessian"]
    assert [part.weight for part in alignment.objective.terms] == [1, 0.01, 1.0]
    assert [part.weight for part in hessian.objective.terms] == [1, 1e-3]
    own = [part.term for part in (*alignment.objective.terms[1:], hessian.objective.terms[1])]
    assert own == [LocalDistance(units="network"), LocalCosine(units="network"), HessianNorm(units="network")]


STD = (0.1, 0.2, 0.5)


@pytest.mark.parametrize("kind", [LocalDistance, LocalCosine, HessianNorm])
@pytest.mark.parametrize("wrapped", [False, True], ids=["first layer", "inside another"])
def test_in_units_of_the_network_a_term_is_that_of_standardized_pixels(kind: type[Term], wrapped: bool) -> None:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        bare = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.Softplus(), nn.Linear(8, 3)).double()
    network = nn.Sequential(Normalize((0.3, 0.4, 0.5), STD), bare).double()
    if wrapped:
        network = nn.Sequential(nn.Identity(), network)
    x = torch.rand(4, 3, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y, scale = torch.tensor([0, 1, 2, 0]), torch.tensor(STD, dtype=torch.float64)[:, None, None]

    def own(scale: float | Tensor) -> dict[str, Any]:
        return {} if kind is HessianNorm else {"neighbor": Halfway(scale)}

    options: dict[str, Any] = {**own(1.0), "units": "network"}
    inside = kind(**options)(Probe(network, Batch.trusted(x, y, {})))
    # the published way: pixels are standardized first, and derivatives are for those
    standardized = (x - torch.tensor((0.3, 0.4, 0.5), dtype=torch.float64)[:, None, None]) / scale
    published = kind(**own(scale))(Probe(bare, Batch.trusted(standardized, y, {})))
    assert torch.allclose(inside, published, rtol=1e-5)
    pixels = kind(**own(1.0))(Probe(network, Batch.trusted(x, y, {})))
    assert not torch.allclose(pixels, published, rtol=1e-2)


def test_without_a_normalization_both_units_are_one() -> None:
    model, x = build("mlp", shape=(1, 8, 8), activation="softplus"), torch.rand(4, 1, 8, 8)
    for kind in (LocalDistance, LocalCosine, HessianNorm):
        values = [kind(units=units)(Probe(model, Batch(x, torch.arange(4)))) for units in ("pixels", "network")]
        assert torch.equal(*values)


@dataclass(frozen=True)
class Halfway(Neighbor):
    """The same way from every image, in pixels from 0 to 1 that are then divided by a scale."""

    scale: float | Tensor = 1.0
    eps: float = 0.1
    clip: bool = False

    def step(self, here: Probe) -> Tensor:
        generator = torch.Generator().manual_seed(1)
        return (2 * torch.rand(here.x.shape, generator=generator, dtype=here.x.dtype) - 1) / self.scale


RELU = "its second derivatives are all zero, as those of ReLU networks are; give it a smooth activation, such as"


def test_a_network_without_curvature_is_warned_about_once() -> None:
    model, recipe = build("mlp", shape=(1, 8, 8)), Recipe(epochs=2)
    objective = CrossEntropy() + 0.01 * LocalDistance() + LocalCosine()
    message = f"local-distance and local-cosine cannot teach this network: {RELU} {{'name': 'softplus', 'beta': 3}}"
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$") as caught:
        list(fit(model, DIGITS.train.take(200), objective, recipe))
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("objective", "activation"),
    [
        (CrossEntropy() + 100 * LocalDistance(FAR) + LocalCosine(FAR), "softplus"),
        (CrossEntropy() + 100 * HessianNorm(of="loss"), "relu"),
        (CrossEntropy() + 0.0 * LocalCosine(), "relu"),
    ],
    ids=["smooth", "of the loss", "only measured"],
)
def test_nobody_else_is_warned(objective: Objective, activation: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = build("mlp", shape=(1, 8, 8), activation=activation)
        list(fit(model, DIGITS.train.take(100), objective, Recipe(epochs=1)))

"""Networks side by side take the steps that each would take alone."""

import re
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from pellucid import CrossEntropy, Recipe, fit
from pellucid.data import Flip, TensorSplit
from pellucid.errors import ConfigError, Diverged
from pellucid.evaluate.retrain.cells import Cell
from pellucid.evaluate.retrain.materials import SHARED, Changed
from pellucid.evaluate.retrain.ranks import Ranks
from pellucid.evaluate.retrain.retraining import fitting
from pellucid.evaluate.retrain.side_by_side import SideBySide, Stacked, check_recipe, correct
from pellucid.train import SGD, Adam, Constant, Watch

X = torch.rand(50, 2, 6, 6, generator=torch.Generator().manual_seed(0))
Y = torch.arange(50) % 3
RANKS = Ranks(torch.arange(36).view(1, 1, 6, 6).short(), torch.zeros(50, dtype=torch.long))
CELLS = [Cell("roar", "rows", 0.25, 0), Cell("kar", "rows", 0.25, 0), Cell("roar", "rows", 0.5, 1)]
RECIPE = Recipe(epochs=2, batch=16, optimizer=Adam(lr=5e-3))


class Double(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.double()


class Stubborn(nn.Module):
    """What cannot be done for several networks at once."""

    def forward(self, x: Tensor) -> Tensor:
        return x if float(x.detach().sum()) > -1 else -x


def network(seed: int, *more: nn.Module) -> nn.Module:
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        layers = (nn.Conv2d(2, 4, 3), *more, nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3))
        return nn.Sequential(Double(), nn.Sequential(*layers).double())


def with_batch_norm(seed: int) -> nn.Module:
    return network(seed, nn.BatchNorm2d(4))


def with_group_norm(seed: int) -> nn.Module:
    return network(seed, nn.GroupNorm(2, 4))


def stubborn(seed: int) -> nn.Module:
    return network(seed, Stubborn())


def frozen_part(seed: int) -> nn.Module:
    made = network(seed)
    next(made.parameters()).requires_grad_(False)
    return made


def changed(cells: list[Cell] = CELLS) -> Changed:
    return Changed(X, X.mean((0, 2, 3)), {("rows", SHARED): RANKS}, cells)


@pytest.mark.parametrize(
    ("factory", "recipe"),
    [
        (network, RECIPE),
        (network, replace(RECIPE, optimizer=SGD(lr=0.05), clip=0.5)),
        (network, replace(RECIPE, augment=(Flip(),), schedule=Constant(warmup=0.5))),
        (with_group_norm, RECIPE),
        (with_batch_norm, RECIPE),
        (stubborn, RECIPE),
        (frozen_part, RECIPE),
    ],
    ids=["adam", "sgd and clip", "augmented", "group norm", "batch norm", "one after the other", "frozen part"],
)
def test_side_by_side_is_one_by_one(factory: type[nn.Module], recipe: Recipe) -> None:
    side = SideBySide(factory, changed(), Y, recipe)
    stacked = side.networks()
    assert stacked.together == (factory is not stubborn)
    assert list(side.epochs(stacked)) == [1, 2]
    right = correct(stacked, changed(), Y)
    rows = torch.arange(50).expand(len(CELLS), -1)
    for number, (cell, images) in enumerate(zip(CELLS, changed()(rows), strict=True)):
        alone = factory(cell.seed)
        for _ in fit(alone, TensorSplit(images, Y, ("a", "b", "c")), CrossEntropy(), recipe, seed=cell.seed):
            pass
        own = dict(alone.named_parameters()) | dict(alone.named_buffers())
        for name, tensor in {**stacked.parameters, **stacked.buffers}.items():
            # the loss of one alone is taken in the images' float32
            assert torch.allclose(tensor[number], own[name], rtol=1e-4, atol=1e-5), name
        assert int(right[number]) == int((alone.eval()(images).argmax(1) == Y).sum())


def test_a_network_does_not_know_who_is_beside_it() -> None:
    def first(cells: list[Cell]) -> list[Tensor]:
        side = SideBySide(network, changed(cells), Y, RECIPE)
        stacked = side.networks()
        assert list(side.epochs(stacked))
        return [tensor[0].detach() for tensor in stacked.parameters.values()]

    for one, other in zip(first(CELLS), first(CELLS[:1]), strict=True):
        assert torch.allclose(one, other, rtol=1e-9)


def test_dropout_is_drawn_for_each_network_and_again_the_same() -> None:
    def parameters() -> Tensor:
        side = SideBySide(lambda seed: network(seed, nn.Dropout(0.5)), changed([CELLS[0]] * 2), Y, RECIPE)
        stacked = side.networks()
        assert list(side.epochs(stacked))
        return torch.cat([tensor.detach().flatten(1) for tensor in stacked.parameters.values()], 1)

    before = torch.get_rng_state()
    found = parameters()
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(found, parameters())
    assert not torch.allclose(found[0], found[1])


def test_trying_whether_networks_run_together_changes_nothing() -> None:
    fresh = with_batch_norm(0).train()
    stacked = Stacked([fresh, fresh], X[:2])
    assert stacked.together
    for name, buffer in fresh.named_buffers():
        assert torch.equal(stacked.buffers[name][1], buffer)


def test_a_loss_that_is_no_number_names_its_network() -> None:
    reckless = SGD()
    object.__setattr__(reckless, "lr", 1e200)  # which nobody can ask for
    side = SideBySide(network, changed(), Y, replace(RECIPE, optimizer=reckless))
    message = (
        "the loss of roar of 0.25 by rows, seed 0 became NaN or infinite in epoch 1; "
        "lower recipe.optimizer.lr, or set recipe.clip to bound the gradient"
    )
    with pytest.raises(Diverged, match=f"^{re.escape(message)}$"):
        list(side.epochs(side.networks()))


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (
            Recipe(average=0.9),
            "networks side by side are trained to the end, without recipe.average; set average to 0",
        ),
        (
            Recipe(validation=0.1, patience=2, keep="best"),
            "networks side by side are trained to the end, without recipe.validation and recipe.patience and "
            "recipe.keep; set validation to 0 and patience to 0 and keep to last",
        ),
        (
            Recipe(watch=Watch(images=3)),
            "networks side by side are trained to the end, without recipe.watch.images; set watch.images to 0",
        ),
    ],
)
def test_what_a_recipe_may_not_ask_for(recipe: Recipe, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        check_recipe(recipe)


def test_few_large_networks_fit_and_many_small_ones() -> None:
    assert fitting(network(0), X[:16]) == 16
    wide = nn.Sequential(nn.Flatten(), nn.Linear(72, 2**20))
    assert fitting(wide, X[:16]) == 1

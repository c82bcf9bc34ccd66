import copy
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from networks import images
from pellucid import models
from pellucid.data import Flip, PadCrop, TensorSplit, load
from pellucid.errors import ConfigError, Diverged, ShapeError
from pellucid.objectives import Adaptive, CrossEntropy, GradientNorm, JacobianNorm, Objective
from pellucid.probe import Probe
from pellucid.randomness import derive
from pellucid.train import SGD, Checkpoints, Constant, Epoch, Recipe, Resumed, Step, accuracy, fit, fit_steps
from pellucid.train.epoch_loop import global_batches

DIGITS = load("digits")
SMALL = DIGITS.train.take(300)


def lenet(activation: str = "relu") -> nn.Module:
    return models.build("lenet", shape=(1, 8, 8), activation=activation)


def weights(model: nn.Module) -> list[torch.Tensor]:
    return [tensor.detach().clone() for tensor in model.state_dict().values()]


def same(first: nn.Module, second: nn.Module) -> bool:
    return all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))


def test_training_is_the_plain_loop() -> None:
    recipe = Recipe(epochs=2, batch=50, optimizer=SGD(lr=0.1), schedule=Constant())
    ours = lenet()
    list(fit(ours, SMALL, CrossEntropy(), recipe, seed=3))
    plain = lenet().train()
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for epoch in range(2):
        for batch in SMALL.batches(global_batches(300, 50, derive(3, "order", epoch), 1)):
            optimizer.zero_grad()
            nn.functional.cross_entropy(plain(batch.x), batch.y).backward()
            optimizer.step()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(weights(ours), weights(plain), strict=True))


def test_an_epoch_says_what_was_measured() -> None:
    objective = CrossEntropy() + 0.5 * GradientNorm(of="loss")
    epochs = list(fit(models.build("mlp", shape=(1, 8, 8)), SMALL, objective, Recipe(epochs=3, validation=0.2)))
    last = epochs[-1]
    assert [epoch.number for epoch in epochs] == [1, 2, 3] and last.epochs == 3
    assert last.loss == pytest.approx(last.terms["cross-entropy"] + 0.5 * last.terms["gradient-norm"], rel=1e-5)
    assert last.weights == {"cross-entropy": 1.0, "gradient-norm": 0.5}
    assert last.validation is not None and 55 <= last.validation.n <= 65
    assert epochs[0].loss > last.loss and 0 < last.accuracy <= 1
    assert str(last).startswith("epoch 3/3  loss ")
    assert Epoch.from_record(last.to_record()) == last


def test_digits_are_learned() -> None:
    model = models.build("simple-cnn", shape=(1, 8, 8))
    list(fit(model, DIGITS.train, CrossEntropy(), Recipe(epochs=10, batch=64)))
    assert accuracy(model, DIGITS.test).value > 0.95


def test_the_same_seed_gives_the_same_weights_and_another_gives_others() -> None:
    def trained(seed: int) -> nn.Module:
        model = models.build("simple-cnn", shape=(1, 8, 8), dropout=0.4)
        list(fit(model, SMALL, CrossEntropy() + JacobianNorm(), Recipe(epochs=1, augment=(PadCrop(1),)), seed=seed))
        return model

    assert same(trained(1), trained(1))
    assert not same(trained(1), trained(2))


@pytest.mark.filterwarnings("ignore:the term [a-z-]* added")
def test_the_caller_s_generator_and_objective_are_left_alone() -> None:
    objective = CrossEntropy() + Adaptive(start=0.01) * GradientNorm()
    before = torch.get_rng_state()
    for epoch in fit(lenet(), SMALL, objective, Recipe(epochs=2)):
        assert torch.equal(torch.get_rng_state(), before)
        assert epoch.weights["gradient-norm"] >= 0.01 * (1 - 1e-6)
    assert [float(weight.integral) for weight in objective.adaptive] == [0.0]


def stop_after(
    epochs: int, make: Callable[[], nn.Module], objective: Objective, recipe: Recipe, folder: Path
) -> None:
    for epoch in fit(make(), SMALL, objective, recipe, seed=5, checkpoints=Checkpoints(folder)):
        if epoch.number == epochs:
            return


EVERYTHING = Recipe(
    epochs=4, batch=64, average=0.9, validation=0.2, keep="best", clip=1.0, augment=(Flip(), PadCrop(1))
)


@pytest.mark.parametrize("recipe", [Recipe(epochs=4, batch=64), EVERYTHING], ids=["plain", "everything"])
def test_a_training_that_was_stopped_ends_bit_identical(tmp_path: Path, recipe: Recipe) -> None:
    def make() -> nn.Module:
        return models.build("resnet18", shape=(1, 8, 8), width=4)

    objective = CrossEntropy() + Adaptive(start=1e-4) * JacobianNorm()
    whole = make()
    undisturbed = list(fit(whole, SMALL, objective, recipe, seed=5))
    stop_after(2, make, objective, recipe, tmp_path)
    resumed = make()
    events = list(fit_steps(resumed, SMALL, objective, recipe, seed=5, checkpoints=Checkpoints(tmp_path)))
    assert isinstance(events[0], Resumed) and len(events[0].history) == 2
    assert same(whole, resumed)
    later = [event for event in events if isinstance(event, Epoch)]
    assert [epoch.terms for epoch in later] == [epoch.terms for epoch in undisturbed[2:]]
    assert [epoch.weights for epoch in later] == [epoch.weights for epoch in undisturbed[2:]]


def test_a_damaged_checkpoint_costs_an_epoch_and_nothing_else(tmp_path: Path) -> None:
    objective, recipe = Objective.of(CrossEntropy()), Recipe(epochs=3)
    whole = lenet()
    list(fit(whole, SMALL, objective, recipe, seed=5))
    stop_after(2, lenet, objective, recipe, tmp_path)
    path = tmp_path / "epoch-000002.ckpt"
    path.write_bytes(path.read_bytes()[:1000])
    resumed = lenet()
    events = list(fit_steps(resumed, SMALL, objective, recipe, seed=5, checkpoints=Checkpoints(tmp_path)))
    assert isinstance(events[0], Resumed) and len(events[0].history) == 1
    assert events[0].rejected == ("epoch-000002.ckpt is damaged (its checksum does not match) and was passed over",)
    assert same(whole, resumed)


class Breaking(nn.Module):
    """Sound for some forward passes, then no longer."""

    def __init__(self, passes: int) -> None:
        super().__init__()
        self.inner = lenet()
        self.left = passes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.left -= 1
        return self.inner(x) * (1.0 if self.left >= 0 else torch.nan)


def test_a_loss_that_is_no_number_stops_with_epoch_step_and_term(tmp_path: Path) -> None:
    epochs: list[Epoch] = []
    message = (
        "cross-entropy became NaN or infinite in epoch 2, step 3; "
        "lower optimizer.lr or the weight of that term, or set clip to bound the gradient"
    )
    with pytest.raises(Diverged, match=re.escape(message)):
        for epoch in fit(Breaking(8), SMALL, CrossEntropy(), Recipe(batch=50), checkpoints=Checkpoints(tmp_path)):
            epochs.append(epoch)
    assert len(epochs) == 1
    state, rejected = Checkpoints(tmp_path).latest()
    assert state is not None and len(state["history"]) == 1 and rejected == ()
    assert all(bool(tensor.isfinite().all()) for tensor in state["model"].values())


def test_keep_best_keeps_the_weights_of_the_best_epoch() -> None:
    recipe = Recipe(epochs=4, optimizer=SGD(lr=0.5), schedule=Constant(), validation=0.3, keep="best")
    model = lenet()
    seen: list[tuple[float, nn.Module]] = []
    for epoch in fit(model, SMALL, CrossEntropy(), recipe, seed=1):
        assert epoch.validation is not None
        seen.append((epoch.validation.value, copy.deepcopy(model)))
    scores = [score for score, _ in seen]
    assert same(model, seen[scores.index(max(scores))][1])


def test_patience_ends_training_early() -> None:
    recipe = Recipe(epochs=50, optimizer=SGD(lr=1e-9), schedule=Constant(), validation=0.3, patience=2)
    assert len(list(fit(lenet(), SMALL, CrossEntropy(), recipe))) == 3


def test_the_average_is_what_is_kept() -> None:
    model = models.build("resnet18", shape=(1, 8, 8), width=4)
    recipe = Recipe(epochs=1, batch=150, average=0.5, schedule=Constant())
    steps = [copy.deepcopy(model)]
    for event in fit_steps(model, SMALL, CrossEntropy(), recipe):
        if isinstance(event, Step):
            steps.append(copy.deepcopy(model))
    first, second = (dict(step.named_parameters()) for step in steps[1:])
    for name, kept in model.named_parameters():
        # the average begins at the first step's weights
        assert torch.allclose(kept, 0.5 * first[name] + 0.5 * second[name], atol=1e-6)


def test_what_cannot_be_trained_is_refused() -> None:
    with pytest.raises(ConfigError, match="keep='best' and patience need validation images; set recipe.validation"):
        list(fit(lenet(), SMALL, CrossEntropy(), Recipe(keep="best")))
    message = "the network returns 7 logits and the data have 10 classes; build it with classes=10"
    with pytest.raises(ShapeError, match=message):
        list(fit(models.build("lenet", shape=(1, 8, 8), classes=7), SMALL, CrossEntropy(), Recipe()))
    narrow = nn.Sequential(nn.Flatten(), nn.Linear(5, 10))
    message = (
        "the network cannot take images of 1x8x8 (RuntimeError: mat1 and mat2 shapes cannot be multiplied "
        "(64x64 and 5x10)); change the one or the other"
    )
    with pytest.raises(ShapeError, match=re.escape(message)):
        list(fit(narrow, SMALL, CrossEntropy(), Recipe()))
    with pytest.raises(ShapeError, match="1 training images are too few for 1 processes; each needs two"):
        list(fit(lenet(), SMALL.take(1), CrossEntropy(), Recipe()))


def test_a_plan_holds_every_image_once_and_no_lonely_one() -> None:
    chunks = global_batches(101, 50, 0, 1)
    assert [len(chunk) for chunk in chunks] == [50, 50]
    assert torch.cat(global_batches(103, 50, 0, 1)).sort().values.tolist() == list(range(103))
    assert not torch.equal(torch.cat(global_batches(100, 50, 0, 1)), torch.cat(global_batches(100, 50, 1, 1)))


def test_frozen_parameters_stay() -> None:
    model = lenet()
    first = next(model.parameters())
    first.requires_grad_(False)
    before = first.clone()
    list(fit(model, SMALL, CrossEntropy(), Recipe(epochs=1)))
    assert torch.equal(first, before)


def test_double_backprop_shortens_gradients() -> None:
    def length(weight: float) -> float:
        model = lenet("softplus")
        objective = CrossEntropy() + weight * GradientNorm(of="loss", reduction="rms")
        list(fit(model, DIGITS.train, objective, Recipe(epochs=4)))
        batch = next(iter(DIGITS.test.batches([torch.arange(200)])))
        probe = Probe(model.eval(), batch, second_order=False)
        return float(probe.gradient("loss").flatten(1).norm(dim=1).mean())

    assert length(5.0) < 0.6 * length(0.0)


def test_pixels_outside_the_range_never_reach_training() -> None:
    with pytest.raises(ValueError, match=re.escape("they must lie in [0, 1]")):
        TensorSplit(images(4, 1, 8, 8).float() * 2, torch.zeros(4, dtype=torch.long), ("a",))


def test_a_network_in_half_precision_is_not_trained() -> None:
    with pytest.raises(ConfigError, match="half precision, in which small steps of training are lost; make it in"):
        list(fit(nn.Linear(4, 2).half(), DIGITS.train, CrossEntropy(), Recipe(epochs=1)))

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor

from pellucid import cli, data, models
from pellucid.errors import Diverged
from pellucid.objectives import (
    Adaptive,
    CrossEntropy,
    GradientNorm,
    LocalCosine,
    Losses,
    Objective,
    Ramp,
    Term,
)
from pellucid.probe import Probe
from pellucid.runs import runs_in
from pellucid.train import Checkpoints, Epoch, Recipe, fit
from pellucid.train.epoch_sums import EpochSums

SMALL = data.load("digits").train.take(100)
RECIPE = Recipe(epochs=2, batch=50)
LONG = GradientNorm(of="label-logit")


@dataclass(frozen=True)
class Swinging(Term):
    """A term that is positive for one batch and negative for the next, and comes to nothing on the whole."""

    height: float

    def __call__(self, probe: Probe) -> Tensor:
        return torch.tensor(self.height if probe.progress in (0, 0.5) else -self.height)


def trained(objective: Objective, recipe: Recipe = RECIPE, checkpoints: Checkpoints | None = None) -> list[Epoch]:
    model = models.build("mlp", shape=(1, 8, 8), hidden=(16,))
    return list(fit(model, SMALL, objective, recipe, checkpoints=checkpoints))


def said(objective: Objective) -> tuple[list[str], list[Epoch]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        epochs = trained(objective)
    return [str(one.message) for one in caught], epochs


@pytest.mark.parametrize(
    "weight",
    [1e-7, -1e-7, Ramp(2e-7, start=1e-7), Adaptive(start=1e-7, gain=0.0), Adaptive(start=1e-7)],
    ids=repr,
)
def test_a_term_that_adds_next_to_nothing_is_told_of_once(weight: float | Ramp | Adaptive) -> None:
    messages, (first, second) = said(CrossEntropy() + weight * LONG)
    (share,) = first.negligible.values()
    assert messages == [
        f"the term gradient-norm added {share:.1e} of the loss over the first epoch; raise its weight or drop it"
    ]
    assert share == pytest.approx(
        abs(first.weights["gradient-norm"]) * first.terms["gradient-norm"] / first.loss, rel=0.1
    )
    assert second.negligible == {}
    assert "gradient-norm 0" in str(first) and str(first).count(" (negligible)") == 1
    assert Epoch.from_record(first.to_record()) == first


def test_the_share_is_of_the_loss_step_by_step() -> None:
    _, (first, _) = said(CrossEntropy() + 1e-7 * LONG)
    assert first.negligible["gradient-norm"] == pytest.approx(
        1e-7 * first.terms["gradient-norm"] / first.loss, rel=1e-6
    )


@pytest.mark.parametrize("least", [5e-5, 5e-4])
def test_the_bound_is_a_ten_thousandth(least: float) -> None:
    _, (first, _) = said(CrossEntropy() + 1e-7 * LONG)
    messages, _ = said(CrossEntropy() + 1e-7 * least / first.negligible["gradient-norm"] * LONG)
    assert len(messages) == (least < 1e-4)


def test_the_light_one_may_be_the_cross_entropy() -> None:
    messages, (first, _) = said(1e-9 * CrossEntropy() + LONG)
    assert list(first.negligible) == ["cross-entropy"] and len(messages) == 1


def test_each_light_term_is_told_of() -> None:
    messages, (first, _) = said(CrossEntropy() + 1e-7 * LONG + 1e-8 * GradientNorm(of="loss"))
    assert list(first.negligible) == ["gradient-norm", "gradient-norm-2"] and len(messages) == 2


def test_a_term_that_is_zero_has_another_remedy() -> None:
    messages, (first, _) = said(CrossEntropy() + Swinging(0.0))
    assert first.negligible == {"swinging": 0.0}
    assert messages == [
        "the term swinging was 0 over the whole first epoch, whatever its weight; change its settings or drop it"
    ]


@pytest.mark.parametrize(
    "objective",
    [
        Objective.of(CrossEntropy()),
        1e-9 * CrossEntropy(),
        CrossEntropy() + LONG,
        CrossEntropy() + 0 * LONG,
        CrossEntropy() + Ramp(1e-7) * LONG,
        CrossEntropy() + Adaptive(start=1.0) * LONG,
        CrossEntropy() + Swinging(0.5),
    ],
    ids=["alone", "alone and light", "heavy", "only measured", "from zero by design", "adaptive", "of both signs"],
)
def test_nobody_else_is_told(objective: Objective) -> None:
    messages, epochs = said(objective)
    assert messages == [] and all(epoch.negligible == {} for epoch in epochs)


def test_a_term_without_hold_on_the_network_is_told_of_once_and_recorded() -> None:
    messages, (first, _) = said(CrossEntropy() + 1e-9 * LocalCosine())
    assert len(messages) == 1 and messages[0].startswith("local-cosine cannot teach this network")
    assert list(first.negligible) == ["local-cosine"]


def test_a_training_that_goes_on_does_not_say_it_again(tmp_path: Path) -> None:
    objective, checkpoints = CrossEntropy() + 1e-7 * LONG, Checkpoints(tmp_path)
    with pytest.warns(UserWarning, match="^the term gradient-norm added"):
        trained(objective, Recipe(epochs=1, batch=50), checkpoints)
    epochs = trained(objective, RECIPE, checkpoints)  # a warning would be an error here
    assert [epoch.number for epoch in epochs] == [2]


def test_the_command_line_says_it_and_the_record_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    command = "train double-backprop --model mlp --device cpu --set objective.gradient-norm.weight=1e-7"
    arguments = [*command.split(), "--set", "recipe.epochs=2"]
    with pytest.warns(UserWarning) as caught:
        result = CliRunner().invoke(cli.cli, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    (run,) = runs_in(Path("runs"))
    first, second = run.epochs()
    (share,) = first.negligible.values()
    assert share < 1e-4 and second.negligible == {}
    message = (
        rf"^the term gradient-norm added {share:.1e} of the loss over the first epoch; raise its weight or drop it$"
    )
    assert [bool(re.match(message, str(one.message))) for one in caught] == [True]
    shown = CliRunner().invoke(cli.cli, ["show", str(run.path)], catch_exceptions=False)
    assert shown.output.count("(negligible)") == 1


def test_sums_stay_what_they_were_and_name_the_first_step_that_broke() -> None:
    def step(value: float) -> Losses:
        values = {"one": torch.tensor(value), "two": torch.tensor(2.0)}
        return Losses(torch.tensor(value + 1), values, {"one": 1.0, "two": 0.5}, torch.eye(3))

    y = torch.tensor([0, 1, 0])
    fine = EpochSums.none(("one", "two"), torch.device("cpu")).plus(step(1.0), y, 3)
    broken = fine.plus(step(torch.nan), y, 3).plus(step(torch.nan), y, 3)
    fine.check(1)
    assert fine.figures().terms == {"one": 1.0, "two": 2.0} and fine.figures().accuracy == pytest.approx(2 / 3)
    assert fine.figures().shares == {"one": 0.5, "two": 0.5}
    with pytest.raises(Diverged, match="^one became NaN or infinite in epoch 1, step 2; lower "):
        broken.check(1)

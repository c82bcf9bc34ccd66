import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import pellucid
from pellucid import config, models
from pellucid.attacks import PGD
from pellucid.cli.screens.screen import Screen
from pellucid.cli.screens.trained import COLLAPSED, watcher
from pellucid.errors import ConfigError
from pellucid.ledger import Job
from pellucid.metrics import Estimate
from pellucid.objectives import CrossEntropy, Ramp
from pellucid.train import Adam, Checkpoints, Constant, Epoch, Recipe, Watch, fit

DIGITS = pellucid.data.load("digits")
SMALL = DIGITS.train.take(200)
WATCH = Watch(images=60, attack=PGD(eps=0.05, steps=3))
RECIPE = Recipe(epochs=3, batch=50, watch=WATCH)


def network() -> torch.nn.Module:
    return models.build("mlp", shape=(1, 8, 8), hidden=(32,))


def epoch(number: int, successes: int | None, of: int = 100) -> Epoch:
    robust = None if successes is None else Estimate.proportion(successes, of)
    return Epoch(
        number=number,
        epochs=9,
        loss=0.5,
        terms={"cross-entropy": 0.5},
        weights={"cross-entropy": 1.0},
        accuracy=0.9,
        validation=None,
        learning_rate=0.1,
        seconds=1.0,
        images_per_second=100.0,
        robust=robust,
    )


@pytest.mark.parametrize(
    ("history", "now", "collapsed"),
    [
        ([], 0, False),
        ([None, None], 0, False),
        ([60, 70], 68, False),
        ([60, 70], 35, False),
        ([60, 70], 30, False),  # below half, but not beyond doubt with 100 images
        ([60, 70], 25, True),
        ([60, 70, 2], 25, True),  # the best so far, not the one before
        ([5], 0, False),
    ],
)
def test_the_rule(history: list[int | None], now: int, collapsed: bool) -> None:
    before = [epoch(number, successes) for number, successes in enumerate(history, start=1)]
    assert WATCH.overfitted(Estimate.proportion(now, 100), before) is collapsed


def test_robust_accuracy_is_that_of_a_measurement_and_can_be_shared() -> None:
    model = network()
    list(fit(model, SMALL, CrossEntropy(), replace(RECIPE, watch=Watch())))
    watched = WATCH.chosen(SMALL, 3)
    assert len(watched) == 60
    whole = WATCH.robust(model, watched, seed=3)
    shares = [WATCH.robust(model, watched, seed=3, rank=rank, ranks=3).value for rank in range(3)]
    assert min(shares) > 0
    assert sum(shares) == pytest.approx(whole.value)
    measured = pellucid.measure(model, watched, WATCH.attack, job=Job(7))
    assert measured.robust_accuracy(0.05).value == pytest.approx(whole.value, abs=0.04)
    assert 0.2 < whole.value < measured.accuracy.value


def test_watching_changes_nothing_but_the_record(tmp_path: Path) -> None:
    plain, watched, resumed = network(), network(), network()
    without = list(fit(plain, SMALL, CrossEntropy(), replace(RECIPE, watch=Watch()), seed=1))
    epochs = list(fit(watched, SMALL, CrossEntropy(), RECIPE, seed=1))
    assert [epoch.loss for epoch in epochs] == [epoch.loss for epoch in without]
    assert all(one.robust is None and not one.overfitted for one in without)
    assert all(one.robust is not None and one.robust.n == 60 for one in epochs)
    for first in fit(resumed, SMALL, CrossEntropy(), RECIPE, seed=1, checkpoints=Checkpoints(tmp_path)):
        assert first.robust == epochs[0].robust
        break
    resumed = network()
    rest = list(fit(resumed, SMALL, CrossEntropy(), RECIPE, seed=1, checkpoints=Checkpoints(tmp_path)))
    assert [one.robust for one in rest] == [one.robust for one in epochs[1:]]
    for other in (plain, resumed):
        assert all(
            torch.equal(a, b) for a, b in zip(watched.state_dict().values(), other.state_dict().values(), strict=True)
        )


def test_validation_images_are_watched_where_there_are_any() -> None:
    model = network()
    recipe = replace(RECIPE, epochs=1, validation=0.2, watch=replace(WATCH, images=1000))
    (only,) = fit(model, SMALL, CrossEntropy(), recipe)
    assert only.validation is not None and only.robust is not None
    assert only.robust.n == only.validation.n < 60


def test_a_collapse_is_noticed_said_and_written_down(capsys: pytest.CaptureFixture[str]) -> None:
    # a weight that turns negative makes the network unlearn what it knew
    unlearning = Ramp(start=1.0, end=-1.0) * CrossEntropy()
    recipe = replace(RECIPE, epochs=12, optimizer=Adam(lr=5e-3), schedule=Constant())
    epochs = list(fit(network(), SMALL, unlearning, recipe, seed=1))
    flags = [one.overfitted for one in epochs]
    assert not any(flags[:4]) and flags[-1]
    assert all(Epoch.from_record(one.to_record()) == one for one in epochs)
    assert "n=60 (collapsed)" in str(epochs[-1]) and "(collapsed)" not in str(epochs[0])
    screen = Screen()
    with screen.progress() as bar:
        say = watcher(screen, bar)
        say(epochs[0])
        assert COLLAPSED not in capsys.readouterr().err
        say(epochs[-1])
    assert COLLAPSED in capsys.readouterr().err


def test_epochs_from_before_there_was_a_watch_can_be_read() -> None:
    record = epoch(1, None).to_record()
    del record["robust"], record["overfitted"]
    assert Epoch.from_record(record) == epoch(1, None)


def test_a_watch_is_a_setting() -> None:
    assert config.build(Recipe, config.dump(RECIPE)) == RECIPE


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"images": -1}, "images is -1; watch 1 or more, or none at 0"),
        ({"collapse": 1.0}, "collapse is 1.0; it is a part of the best robust accuracy, in (0, 1)"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        config.build(Watch, settings)

"""`pellucid measure`, as a person or a program sees it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from command import call, refused
from pellucid.evaluate import Record


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def run() -> str:
    trained = call("train", "standard", "--set", "recipe.epochs=8", "--model", "mlp", "--device", "cpu", "--json")
    return json.loads(trained)["path"]


QUICK = ["--n", "60", "--device", "cpu", "--no-verdicts"]


def test_a_run_knows_its_data_and_is_measured(run: str) -> None:
    command = ["measure", run, "--attack", "pgd,random-point", "--eps", "0.05,0.2", "--set", "eps=0.1", *QUICK]
    content: dict[str, Any] = json.loads(call(*command[:-2], "--no-verdicts", "--json", "--device", "cpu"))
    assert content["images"] == 60
    pgd, noise = content["attacks"]
    for eps in ("0.05", "0.2"):
        estimate = pgd["robust_accuracy"][eps]
        assert estimate["n"] == 60
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
        assert estimate["value"] <= noise["robust_accuracy"][eps]["value"]
    assert content["worst"]["robust_accuracy"]["0.2"]["value"] <= pgd["robust_accuracy"]["0.2"]["value"]
    record = Record.load(Path(pgd["path"]) / "record.npz")
    assert record.robust_accuracy(0.2).value == pgd["robust_accuracy"]["0.2"]["value"]


def test_the_table_has_every_figure(run: str) -> None:
    out = call(
        "measure", run, "--attack", "nearest", "--set", "steps=40", "--set", "trajectory=4.0", "--eps", "0.1", *QUICK
    )
    for word in ("accuracy", "robust accuracy at rms 0.1", "area (rms)", "median distance (rms)", "image by image:"):
        assert word in out


def test_several_goals_of_one_attack(run: str) -> None:
    goals = ["--goal", "misclassified,below-chance"]
    quick = ["--set", "steps=30", "--set", "trajectory=4.0"]
    content = json.loads(call("measure", run, "--attack", "nearest", *goals, *quick, *QUICK, "--json"))
    attack, chance = (figures["area"]["value"] for figures in content["attacks"])
    assert 0 < attack < chance


def test_verdicts_are_part_of_it(run: str) -> None:
    content = json.loads(
        call("measure", run, "--attack", "pgd", "--eps", "0.1", "--n", "40", "--device", "cpu", "--json")
    )
    assert len(content["verdicts"]) >= 10
    assert {"check", "passed", "finding", "evidence", "remedy"} == set(content["verdicts"][0])


def test_a_network_of_ones_own_on_a_file_of_ones_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "mine.npz", x=rng.random((40, 3, 8, 8), dtype=np.float32), y=np.arange(40) % 3)
    (tmp_path / "mine.py").write_text(
        "from torch import nn\n\n\ndef build():\n    return nn.Sequential(nn.Flatten(), nn.Linear(192, 3))\n"
    )
    command = ["measure", "mine:build", "--data", "mine.npz", "--attack", "pgd", "--eps", "8/255", "--no-verdicts"]
    content = json.loads(call(*command, "--split", "all", "--device", "cpu", "--json"))
    assert content["images"] == 40
    assert json.loads(call(*command, "--device", "cpu", "--json"))["images"] < 40
    assert list(content["attacks"][0]["robust_accuracy"]) == ["0.0313725"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mlp"], "'mlp' is no run, so it does not know its data; give --data"),
        (
            ["mlp", "--data", "digits", "--attack", "pgdd"],
            "no attack is called 'pgdd' (did you mean 'pgd'?)",
        ),
        (
            ["mlp", "--data", "digits", "--attack", "pgd", "--eps", "much"],
            "'much' is no budget; give a number, or a fraction such as 8/255",
        ),
        (
            ["mlp", "--data", "digits", "--attack", "pgd", "--eps", "0"],
            "PGD has eps=0; a budget is a length above 0 in [0, 1] pixel units",
        ),
        (
            ["mlp", "--data", "digits", "--attack", "pgd", "--eps", "8"],
            "PGD has eps=8, more than the whole range of a pixel; did you mean 8/255?",
        ),
        (
            ["mlp", "--data", "digits", "--attack", "pgd", "--set", "stepz=3"],
            "there is no setting 'stepz' (did you mean 'step'?)",
        ),
        (
            ["mlp", "--data", "digits", "--attack", "pgd", "--split", "all"],
            "'digits' comes divided; measure on --split test",
        ),
        (["mlp", "--data", "digits", "--attack", "pgd", "--n", "0"], "n is 0; measure on 1 image or more"),
    ],
)
def test_what_cannot_be_measured(arguments: list[str], message: str) -> None:
    assert refused("measure", *arguments, "--device", "cpu") == message


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (("transfer", "--set", "source=mlp", "--set", "attack.kind=pgd"), "give --set attack.eps=0.1"),
        (("gaussian-noise",), "give --set one of goal, norm, sigma"),
    ],
)
def test_an_eps_that_an_attack_would_not_heed_is_refused(settings: tuple[str, ...], said: str) -> None:
    name, *more = settings
    words = refused("measure", "mlp", "--data", "digits", "--attack", name, *more, "--eps", "0.1")
    assert words == f"{name} takes no eps of its own; {said}"

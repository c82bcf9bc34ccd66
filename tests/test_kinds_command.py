"""Every kind of network on the command line: what is asked for, or one line."""

import json
from pathlib import Path

import numpy
import pytest
import torch
from click.testing import CliRunner

from kinds_of_networks import CLASSES, KINDS, SHAPE
from pellucid import cli
from pellucid.errors import PellucidError
from test_kinds import LAYERS, REFUSED, WITHOUT

pytestmark = [
    pytest.mark.filterwarnings("ignore:this network"),
    pytest.mark.filterwarnings("ignore:quantized.*an autograd kernel was not registered"),
    pytest.mark.filterwarnings("ignore:.*treespec"),
    pytest.mark.filterwarnings("ignore:Lime drew"),
    pytest.mark.filterwarnings("ignore:.*cannot teach this network"),
]

FEW = ("float16", "detached", "tuple", "one-class")
"""Kinds that are audited in the suite; the campaign audits all."""

COMMANDS = {
    "measure": ["--attack", "pgd", "--eps", "0.05", "--set", "steps=2", "--no-verdicts"],
    "judge": ["--metric", "insertion,sparsity", "--explainer", "gradient"],
    "explain": ["--explainer", "gradient", "--n", "2"],
    "references": ["--explainer", "gradient", "--split", "test"],
    "neurons": ["--traced", "2", "--draws", "3", "--least", "2"],
    "normlime": ["--masks", "20", "--cell", "4"],
}
RETRAIN = ["--ranking", "random", "--protocol", "kar", "--fractions", "0.5", "--seeds", "1", "--device", "cpu"]
UNTRAINABLE = {*REFUSED, *WITHOUT, "float16", "bfloat16", "mixed", "made-in-inference-mode", "thousand-classes"}
"""Kinds that cannot be trained on images of four classes, and so not retrained."""


@pytest.fixture(autouse=True)
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images of every class, in the folder that the command is called in."""
    monkeypatch.chdir(tmp_path)
    x = torch.rand(12, *SHAPE, generator=torch.Generator().manual_seed(1)).numpy()
    y = numpy.arange(12) % CLASSES
    numpy.savez("images.npz", x_train=x, y_train=y, x_test=x, y_test=y)


def said(command: str, kind: str, *more: str) -> tuple[str, str]:
    """What a command prints, or the one line that it ends in; anything else is an error of the test."""
    name, *options = command.split()
    given = [name, "kinds_of_networks:made", "--option", f"kind={kind}", "--data", "images.npz", "--out", "out"]
    given = given if options else [*given, "--json"] if name != "train" else given
    try:
        result = CliRunner().invoke(cli.cli, [*given, *more], catch_exceptions=False)
    except PellucidError as error:
        assert "\n" not in str(error)
        return "", str(error)
    assert result.exit_code == 0, result.output
    return result.stdout, ""


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_command_does_what_is_asked_or_says_in_one_line_why_not(kind: str, command: str) -> None:
    printed, error = said(command, kind, *COMMANDS[command])
    if kind in REFUSED and not (kind == "one-class" and command == "neurons"):
        assert error
    elif kind in WITHOUT and command not in ("neurons", "normlime"):
        assert error.startswith("no gradient leads from the network's logits to its pixels")
    elif kind == "thousand-classes":
        assert "1000 classes apart" in error
    elif command != "neurons":  # which looks for a layer, and some have none
        assert printed and not error


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_network_that_can_be_trained_is_retrained(kind: str) -> None:
    printed, error = said("retrain", kind, *RETRAIN, "--set", "recipe.epochs=1")
    assert bool(error) == (kind in UNTRAINABLE), error
    if printed:
        (protocol,) = json.loads(printed)["protocols"]
        assert 0 <= protocol["rankings"]["random"]["accuracy"][0]["value"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=() if kind in FEW else pytest.mark.exhaustive) for kind in KINDS]
)
def test_an_audit_ends_whatever_the_network_is(kind: str) -> None:
    settings = ["robustness.n=4", "robustness.nearest=2", "robustness.steps=2", "robustness.nearest_steps=4"]
    settings += ["robustness.repeated=2", "verdicts.n=4", "verdicts.steps=2", "explanations.n=2", "gradients.n=2"]
    settings += ["neurons.n=12", "neurons.steps=2", "gallery.chosen=1", "gallery.worst=1", "gallery.steps=2"]
    settings += ["class maps.n=2"]
    given = [part for setting in settings for part in ("--set", setting)]
    printed, error = said("audit", kind, "--profile", "quick", *given)
    if error:
        assert kind in REFUSED or kind == "thousand-classes"
        return
    found = json.loads(printed)
    failed = {entry["part"] for entry in found["failures"]}
    if kind in WITHOUT:
        assert "robustness" not in failed
        page = Path(found["page"]).read_text(encoding="utf-8")
        assert "by Square alone, which needs no gradients" in page
    elif kind not in REFUSED:
        assert failed <= ({"neurons"} if kind in LAYERS else set())

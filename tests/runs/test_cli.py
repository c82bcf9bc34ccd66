import json
import os
import re
import subprocess
import sys
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from command import call, refused
from pellucid import cli, models, runs
from pellucid.attacks import ATTACKS
from pellucid.cli import listing
from pellucid.train import RECIPES

SHORT = ["--set", "recipe.epochs=2", "--model", "mlp", "--device", "cpu"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shell(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120)


def test_training_writes_a_run_that_shows_and_loads() -> None:
    summary: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--json"))
    folder = Path(summary["path"])
    assert summary["complete"] and len(summary["epochs"]) == 2
    assert summary["result"]["test"]["n"] == 359
    assert {"spec.toml", "environment.json", "epochs.jsonl", "model.safetensors", "model.json", "result.json"} <= set(
        os.listdir(folder)
    )
    assert json.loads(call("show", str(folder), "--json")) == summary
    assert "accuracy" in call("show", str(folder)) and "[recipe.optimizer]" in call("show", str(folder))
    model = models.load(str(folder))
    assert model(torch.rand(2, 1, 8, 8)).shape == (2, 10)
    again: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--json"))
    assert again == summary, "a complete run is found again, not trained again"


def test_the_written_settings_are_a_recipe_of_their_own() -> None:
    first: dict[str, Any] = json.loads(call("train", "jacobian", *SHORT, "--json"))
    spec = Path(first["path"]) / "spec.toml"
    second: dict[str, Any] = json.loads(call("train", str(spec), "--out", "other", "--device", "cpu", "--json"))
    assert Path(second["path"]).name == Path(first["path"]).name
    assert [epoch["loss"] for epoch in second["epochs"]] == [epoch["loss"] for epoch in first["epochs"]]


def test_training_goes_on_from_given_weights() -> None:
    first: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--json"))
    weights = Path(first["path"]) / "model.safetensors"
    second: dict[str, Any] = json.loads(
        call(
            "train", "double-backprop", *SHORT, "--init", str(weights), "--set", "recipe.optimizer.lr=1e-9", "--json"
        )
    )
    assert second["result"]["test"]["value"] == first["result"]["test"]["value"]
    assert second["spec"]["model"]["init_checksum"] != ""


def test_a_network_and_images_of_one_s_own(tmp_path: Path) -> None:
    (tmp_path / "nets_of_this_test.py").write_text(
        "from torch import nn\ndef build():\n    return nn.Sequential(nn.Flatten(), nn.Linear(12, 2))\n"
    )
    x = np.zeros((40, 3, 2, 2), dtype=np.uint8)
    x[::2] = 255
    np.savez(tmp_path / "mine.npz", x=x, y=np.arange(40) % 2)
    summary: dict[str, Any] = json.loads(
        call(
            "train",
            "standard",
            "--data",
            "mine.npz",
            "--model",
            "nets_of_this_test:build",
            "--set",
            "recipe.epochs=20",
            "--set",
            "recipe.optimizer.lr=0.1",  # 20 steps are all that there are
            "--json",
        )
    )
    assert summary["result"]["test"]["value"] == 1.0
    assert Path(summary["path"]).name.startswith("standard-mine-build-")


def test_lists_name_every_entry_with_what_it_is() -> None:
    found: dict[str, dict[str, str]] = json.loads(call("list", "--json"))
    assert set(found) == {*listing.REGISTRIES, "runs"}
    for kind, entries in found.items():
        assert all(entries.values()), kind
    assert set(json.loads(call("list", "recipes", "--json"))["recipes"]) == set(RECIPES)
    assert "simple-cnn" in call("list", "models")
    call("train", "standard", *SHORT, "--json")
    ((name, line),) = json.loads(call("list", "runs", "--json"))["runs"].items()
    assert name.startswith("standard-digits-mlp-") and line.startswith("complete, test accuracy ")


def test_tensorboard_curves_are_written_on_request() -> None:
    summary: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--tensorboard", "--json"))
    assert any("tfevents" in name for name in os.listdir(Path(summary["path"]) / "tensorboard"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "standrd"], "no recipe is called 'standrd' (did you mean 'standard'?)"),
        (["train", "none.toml"], "cannot read 'none.toml': No such file or directory; give a file that you may read"),
        (
            ["train", "standard", "--set", "recipe.epoch=3"],
            "there is no setting 'recipe.epoch' (did you mean 'recipe.epochs'?)",
        ),
        (["train", "standard", "--set", "recipe.epochs=many"], 'recipe.epochs is "many"; expected a whole number'),
        (["train", "standard", "--set", "recipe.epochs=0"], "recipe: epochs is 0; it must be at least 1"),
        (["train", "standard", "--set", "recipe"], "'recipe' sets nothing; write it as name.name=value"),
        (
            ["train", "standard", "--model", "simple-cn"],
            "no model is called 'simple-cn' (did you mean 'simple-cnn'?)",
        ),
        (["list", "recipe"], "there is no list of 'recipe' (did you mean 'recipes'?)"),
        (
            ["show", "nowhere"],
            "nowhere is no run folder: it does not exist; give the folder that 'pellucid train' named",
        ),
        (["show", "."], ". is no run folder: it has no spec.toml; give the folder that 'pellucid train' named"),
        (
            ["train", "standard", "--set", "data.fingerprint=beef"],
            "the images of 'digits' are not those that the settings were made for; "
            "set data.fingerprint to '' to train on these",
        ),
    ],
)
def test_bad_input_is_one_line_with_value_place_and_remedy(arguments: list[str], message: str) -> None:
    assert refused(*arguments) == message


def test_bad_images_are_refused_by_name() -> None:
    np.savez("bad.npz", x=np.full((4, 1, 2, 2), 2.0, dtype=np.float32), y=np.zeros(4, dtype=int))
    assert "they must lie in [0, 1]" in refused("train", "standard", "--data", "bad.npz")
    np.savez("nan.npz", x=np.full((4, 1, 2, 2), np.nan, dtype=np.float32), y=np.zeros(4, dtype=int))
    assert "pixels from nan to nan" in refused("train", "standard", "--data", "nan.npz")
    assert "nowhere" in refused("train", "standard", "--data", "nowhere")


def test_the_wrong_size_of_weights_is_told_tensor_by_tensor() -> None:
    summary: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--json"))
    weights = str(Path(summary["path"]) / "model.safetensors")
    said = refused("train", "standard", "--model", "lenet", "--init", weights)
    assert "conv1.weight" in said


def test_a_run_that_another_process_works_on_is_refused() -> None:
    summary: dict[str, Any] = json.loads(call("train", "standard", *SHORT, "--json"))
    folder = Path(summary["path"])
    (folder / "result.json").unlink()
    with runs.RunFolder(folder).lock():
        said = refused("train", "standard", *SHORT)
    assert said == f"{folder} is in use by process {os.getpid()}; wait for it, or end it"


def test_the_command_prints_errors_without_a_traceback_and_exits_with_one() -> None:
    done = shell(sys.executable, "-m", "pellucid", "train", "standrd")
    assert done.returncode == 1
    assert done.stderr == "error: no recipe is called 'standrd' (did you mean 'standard'?)\n"
    assert shell(sys.executable, "-m", "pellucid", "train").returncode == 2


def test_help_is_instant_because_it_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom pellucid import cli\nsys.argv = ['pellucid', '--help']\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'lightning_fabric', 'rich', 'sklearn', 'PIL', 'safetensors', 'jaxtyping'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    done = shell(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "Train, attack, audit and explain image classifiers" in done.stdout


def test_python_dash_m_is_the_command() -> None:
    script = Path(sys.executable).parent / "pellucid"
    assert (
        shell(str(script), "list", "norms").stdout == shell(sys.executable, "-m", "pellucid", "list", "norms").stdout
    )


def test_importing_does_no_work() -> None:
    done = shell(
        sys.executable, "-c", "import sys, pellucid; assert 'torch' not in sys.modules; pellucid.__version__"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_processes_train_like_one(tmp_path: Path) -> None:
    common = ["train", "double-backprop", "--model", "lenet", "--set", "model.options.activation=softplus"]
    common += ["--set", "recipe.epochs=1", "--set", "recipe.batch=100", "--device", "cpu", "--json"]
    common += [
        "--set",
        "objective.gradient-norm.reduction=batch",
        "--set",
        "recipe.augment=[{kind='pad-crop', pad=1}]",
    ]
    one: dict[str, Any] = json.loads(call(*common, "--out", "one"))
    done = shell(sys.executable, "-m", "pellucid", *common, "--out", "two", "--devices", "2", "--strategy", "ddp")
    assert done.returncode == 0, done.stderr
    two: dict[str, Any] = json.loads(done.stdout)
    assert two["environment"]["processes"] == 2
    assert two["epochs"][0]["loss"] == pytest.approx(one["epochs"][0]["loss"], rel=1e-5)
    assert two["result"]["test"] == one["result"]["test"]
    first, second = (models.load(summary["path"]).state_dict() for summary in (one, two))
    assert max(float((first[name] - second[name]).abs().max()) for name in first) < 1e-5


def test_lists_are_readable_at_any_width() -> None:
    assert re.search(r"double-backprop\s", call("list", "recipes"))


def test_half_precision_trains_too() -> None:
    command = ["train", "double-backprop", *SHORT, "--set", "recipe.epochs=4", "--precision", "bf16-mixed", "--json"]
    summary: dict[str, Any] = json.loads(call(*command))
    assert summary["spec"]["precision"] == "bf16-mixed"
    assert summary["result"]["test"]["value"] > 0.5


def test_images_that_cannot_be_read_are_named_or_left_out_and_counted(tmp_path: Path) -> None:
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (8, 8), (number * 20, 0, 0)).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets" / "cat" / "3.png").write_bytes(b"no image")
    assert "3.png" in refused("train", "standard", "--data", "pets", *SHORT)
    result = CliRunner().invoke(cli.cli, ["train", "standard", "--data", "pets", "--skip-bad", *SHORT])
    assert result.exit_code == 0
    assert re.search(r"left out 1 image that cannot be read: .*3\.png", result.stderr)


def test_attacks_with_lengths_of_their_own_say_which() -> None:
    found: dict[str, dict[str, str]] = json.loads(call("list", "attacks", "--json"))
    for name, summary in found["attacks"].items():
        kind: Any = ATTACKS[name]
        needed = [one for one in fields(kind) if MISSING is one.default is one.default_factory]
        absolute = "" if needed else kind().absolute
        assert ("whatever the network" in summary) == bool(absolute), name
    presets: dict[str, dict[str, str]] = json.loads(call("list", "presets", "--json"))
    assert "its first step is 1 long in L2, whatever the network" in presets["presets"]["fmn-published"]

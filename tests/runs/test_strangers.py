"""A folder, settings or a program of somebody else's, at every door of the command line: nothing of it is run."""

import json
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file
from torch import nn

from command import call, refused
from pellucid import cli, config, models, registry, runs
from pellucid.attacks import PGD, Transfer
from pellucid.cli.options import typed
from pellucid.errors import NotTrusted

IMAGES = ["--data", "digits"]
DOORS = [
    ("measure", "--n", "4"),
    ("judge", "--metric", "sparsity", "--explainer", "gradient", "--n", "4"),
    ("explain",),
    ("normlime", "--n", "4"),
    ("neurons", "--n", "4"),
    ("references",),
    ("audit", "--n", "4"),
]
TRACE = """
from torch import nn
open("imported", "w").close()
def make(**options):
    open("called", "w").close()
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
class Net(nn.Module):
    pass
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def stranger(name: str, **options: object) -> str:
    """A complete run whose network is made by the function of this name."""
    folder = Path("stranger")
    folder.mkdir()
    settings = {"model.name": name, "model.options": options, "model.normalize": False}
    (folder / "spec.toml").write_text(config.toml(runs.table("standard", settings)))
    (folder / "model.json").write_text(json.dumps({"name": name, "options": options}))
    save_file(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).state_dict(), folder / "model.safetensors")
    (folder / "epochs.jsonl").touch()
    estimate = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
    (folder / "result.json").write_text(json.dumps({"test": estimate, "epochs": 0, "parameters": 1}))
    return str(folder)


def test_what_is_trusted_stands_in_the_command_that_is_shown() -> None:
    line = ["net.pt", "--data", "digits", "--trust", "net.pt", "--trust", "torchvision"]
    context = cli.cli.commands["audit"].make_context("audit", line)
    assert typed(context).endswith("--trust net.pt --trust torchvision")


def nothing_ran() -> bool:
    return not any(Path(name).exists() for name in ("ran", "imported", "called"))


@pytest.mark.parametrize("door", [*DOORS, ("retrain",)], ids="-".join)
def test_a_folder_of_a_stranger_runs_nothing(door: tuple[str, ...]) -> None:
    command, *options = door
    message = refused(command, stranger("os:system", command="touch ran"), *options, "--device", "cpu")
    assert message.startswith("stranger/") and "names 'os:system'" in message and "add --trust os " in message
    assert nothing_ran()


@pytest.mark.parametrize("door", DOORS, ids="-".join)
def test_a_program_of_a_stranger_runs_nothing(door: tuple[str, ...]) -> None:
    command, *options = door
    Path("net.pt2").write_bytes(b"whatever it is")
    message = refused(command, "net.pt2", *IMAGES, *options, "--device", "cpu")
    assert message == (
        "net.pt2 is an exported program, and reading it can run any code; if you trust whoever made it, "
        "add --trust net.pt2 (in Python: trust=True)"
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_program_that_is_trusted_is_measured() -> None:
    with torch.random.fork_rng():
        program = torch.jit.script(nn.Sequential(nn.Flatten(), nn.Linear(64, 10)))
    program.save("net.pt")
    typed = ["measure", "net.pt", *IMAGES, "--n", "4", "--eps", "0.1", "--attack", "pgd", "--no-verdicts", "--json"]
    assert "--trust net.pt" in refused(*typed)
    assert json.loads(call(*typed, "--trust", "net.pt"))["images"] == 4
    # another network's program, to make the images on
    other = ["--attack", "transfer", "--set", "source=net.pt", "--set", "attack={kind='pgd', eps=0.1}"]
    line = ["measure", "mlp", *IMAGES, "--n", "60", "--no-verdicts", "--json", *other]
    assert "--trust net.pt" in refused(*line)
    call(*line, "--trust", "net.pt")


@pytest.mark.parametrize("name", ["os:system", "subprocess:Popen", "stranger.net:make", "stranger.net:Net"])
def test_settings_of_a_stranger_run_nothing(name: str) -> None:
    spec = Path(stranger(name, command="touch ran", args="touch ran")) / "spec.toml"
    (spec.parent / "__init__.py").touch()
    (spec.parent / "net.py").write_text(TRACE)
    for out in ("runs", "stranger"):
        assert f"{spec} names '{name}'" in refused("train", str(spec), "--out", out, "--device", "cpu")
    assert nothing_ran()


@pytest.mark.slow
def test_a_teacher_in_settings_of_a_stranger_runs_nothing() -> None:
    settings = runs.table(
        "interpretation-regularization",
        {"references.reference.settings": {"model": {"name": "os:system", "options": {"command": "touch ran"}}}},
    )
    Path("theirs.toml").write_text(config.toml(settings))
    assert "names 'os:system'" in refused("train", "theirs.toml", "--device", "cpu")
    assert nothing_ran()


def test_an_attack_in_settings_of_a_stranger_runs_nothing() -> None:
    settings = runs.table("adversarial-training", {"recipe.epochs": 1, "model.name": "mlp"})
    attack = config.dump(Transfer(PGD(eps=0.1), "os:system"))

    def replaced(table: object) -> object:
        if isinstance(table, dict):
            return {name: attack if name == "attack" else replaced(entry) for name, entry in table.items()}
        return [replaced(entry) for entry in table] if isinstance(table, list) else table

    Path("theirs.toml").write_text(config.toml(replaced(settings)))  # type: ignore[arg-type]
    assert "theirs.toml names 'os:system'" in refused("train", "theirs.toml", "--device", "cpu")
    assert nothing_ran()


def test_the_persons_own_words_go_before_those_of_a_file() -> None:
    Path("mine.toml").write_text('method = "standard"\nmodel.name = "os:system"\nrecipe.epochs = 1')
    Path("mine_net.py").write_text(TRACE)
    summary = json.loads(call("train", "mine.toml", "--model", "mine_net:make", "--device", "cpu", "--json"))
    assert Path("called").exists()
    Path("called").unlink()
    # the run is the project's own, so it is measured and retrained like any other
    call("measure", summary["path"], "--n", "4", "--eps", "0.1", "--attack", "pgd", "--no-verdicts")
    assert Path("called").exists()
    sys.modules.pop("mine_net")


def test_looking_at_a_folder_imports_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = stranger("net_of_a_stranger:make", command="touch ran")
    Path("net_of_a_stranger.py").write_text(TRACE)
    settings = config.read(Path(folder) / "spec.toml")
    settings["objective"] = {"kind": "plugged", "terms": []}
    settings["recipe"]["optimizer"] = {"kind": "plugged"}
    settings["data"]["source"] = "plugged"
    (Path(folder) / "spec.toml").write_text(config.toml(settings))
    point = EntryPoint("plugged", "net_of_a_stranger:Net", "pellucid.optimizers")
    groups = {"pellucid.optimizers", "pellucid.datas", "pellucid.data", "pellucid.terms"}

    def entry_points(group: str, name: str = "plugged") -> EntryPoints:
        return EntryPoints([point] if group in groups and name == "plugged" else [])

    monkeypatch.setattr(registry, "entry_points", entry_points)
    monkeypatch.syspath_prepend(str(Path.cwd()))
    assert "net_of_a_stranger:make" in call("show", folder)
    assert json.loads(call("show", folder, "--json"))["spec"]["model"]["name"] == "net_of_a_stranger:make"
    assert "stranger" in call("list", "runs", "--out", ".")
    assert nothing_ran() and "net_of_a_stranger" not in sys.modules


@pytest.mark.slow
def test_drawing_a_report_imports_nothing() -> None:
    Path("mine.py").write_text(TRACE)
    CliRunner().invoke(cli.cli, ["audit", "mlp", *IMAGES, "--n", "4", "--profile", "quick", "--device", "cpu"])
    about = Path("audit/audit.json")
    about.write_text(about.read_text().replace('"mlp"', '"mine:make"'))
    CliRunner().invoke(cli.cli, ["report", "audit"])
    assert nothing_ran() and "mine" not in sys.modules


@pytest.mark.slow
def test_a_run_by_a_typed_name_is_retrained_and_teaches() -> None:
    """Though its folder names a function that is not the project's, which `measure` needs `--trust` for."""
    short = ["--set", "recipe.epochs=1", "--device", "cpu", "--json"]
    name = f"{__name__}:flat"
    table = runs.table("interpretation-regularization", {"model.name": name}, ["recipe.epochs=1"])
    assert table["model"]["name"] == name
    summary = json.loads(call("train", "standard", "--model", name, *short))
    assert "add --trust" in refused("measure", summary["path"], "--n", "4")
    with pytest.raises(NotTrusted):
        models.load(summary["path"])
    assert models.load(summary["path"], trust=[__name__])
    (Path(summary["path"]) / "result.json").write_text("damaged")
    with pytest.warns(UserWarning, match="result"):
        call("train", "standard", "--model", name, *short)
    line = ["--seeds", "1", "--fractions", "0.5", "--protocol", "roar", "--ranking", "random"]
    call("retrain", name, *IMAGES, *line, "--out", "retrained", *short)
    taught = ["--set", "references.reference.settings.recipe.epochs=1"]
    call("train", "interpretation-regularization", "--model", name, *taught, *short)


def flat(**_: object) -> nn.Module:
    """A network outside of the current folder."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


@pytest.mark.slow
def test_what_lies_in_the_current_folder_is_not_taken_for_a_package() -> None:
    for name in ("click", "torch", "tomli_w"):
        Path(f"{name}.py").write_text('open("imported", "w").close()')
    line = [sys.executable, "-m", "pellucid", "list", "runs"]
    found = subprocess.run(line, capture_output=True, text=True, check=False, timeout=120)
    assert found.returncode == 0, found.stderr
    assert nothing_ran()

"""What a person reads of files that are damaged: which one, and what to do; and that the remedy helps."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from command import call, refused
from harm import harm
from pellucid import cli, reports
from pellucid.audits import AuditFolder

TRAIN = [
    "train",
    "standard",
    "--model",
    "mlp",
    "--set",
    "recipe.epochs=2",
    "--set",
    "data.first=60",
    "--device",
    "cpu",
]
AUDIT = ["audit", "mlp", "--data", "digits", "--profile", "quick", "--n", "8", "--explainer", "gradient"]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained() -> Path:
    call(*TRAIN, "--json")
    (run,) = (path for path in Path("runs").iterdir() if path.is_dir())
    return run


@pytest.mark.slow
def test_damaged_weights_are_refused_and_the_same_command_makes_them_again() -> None:
    run = trained()
    weights, other = run / "model.safetensors", run / "epochs.jsonl"
    content = weights.read_bytes()
    for path in (weights, other):
        harm(path, "flip", random.Random(0))
        if path == weights:
            said = refused("measure", str(run), "--attack", "pgd", "--eps", "0.1", "--n", "4")
            assert said.startswith(f"'{weights}' is damaged: ") and "give the command that made it again" in said
        else:
            assert refused("show", str(run)).endswith("the 'pellucid train' command that made it mends it")
            assert "epochs.jsonl' is damaged" in json.loads(call("list", "runs", "--json"))["runs"][run.name]
        with pytest.warns(UserWarning, match=f"{path.name}' is damaged"):
            call(*TRAIN, "--json")
        assert weights.read_bytes() == content
    weights.unlink()  # which an error had said to do
    call(*TRAIN, "--json")
    assert weights.read_bytes() == content


@pytest.mark.slow
@pytest.mark.parametrize("name", ["result.json", "spec.toml", "model.json"])
def test_what_follows_from_the_rest_is_written_again_without_training(name: str) -> None:
    run = trained()
    before, written = (run / name).read_bytes(), (run / "model.safetensors").stat().st_mtime_ns
    for kind in ("flip", "empty"):
        harm(run / name, kind, random.Random(1))
        with pytest.warns(UserWarning, match=f"{name}' is damaged"):
            call(*TRAIN, "--json")
        assert (run / name).read_bytes() == before
        assert (run / "model.safetensors").stat().st_mtime_ns == written
    harm(run / "environment.json", "flip", random.Random(1))
    with pytest.warns(UserWarning, match=r"environment\.json' is damaged"):
        call(*TRAIN, "--json")
    assert json.loads(call("show", str(run), "--json"))["environment"] == {}, "what is lost is not made up"
    call(*TRAIN, "--json")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_page_shows_nothing_that_is_damaged_and_the_audit_mends_it() -> None:
    call(*AUDIT, "--json")
    folder = AuditFolder(Path("audit"))
    before = [dict(figure) for figure in folder.figures()]
    finding = folder.path / "0-mlp" / "decisions.json"
    picture = next((folder.path / "0-mlp").rglob("*.png"))
    assert finding.exists(), list((folder.path / "0-mlp").iterdir())
    for path in (finding, picture):
        harm(path, "flip", random.Random(3))
        result = CliRunner().invoke(cli.cli, ["report", "audit", "--json"])
        assert result.exit_code == 1
        content = json.loads(result.stdout)
        (line,) = content["damaged"]
        assert path.name in line and line.endswith("the 'pellucid audit' command that made it mends it")
        shown = {figure["part"] for figure in content["figures"]}
        assert ("decisions" in shown) == (path != finding)
        page = reports.page(folder)
        assert ("decisions.json&#39; is damaged" in page) == (path == finding)
        assert ("damaged; audit again" in page) == (path == picture)
        call(*AUDIT, "--json")
        assert [dict(figure) for figure in folder.figures()] == before
        call("report", "audit", "--json")

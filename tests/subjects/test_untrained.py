"""A listed network without weights is called untrained before anything else is said of it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.command import call

from pellucid import models
from pellucid.audits import AuditFolder, begin, chosen
from pellucid.cli.screens import audited
from pellucid.cli.screens.screen import Screen
from pellucid.models import untrained
from pellucid.subjects import Asked, untrained_words

WORDS = (
    "mlp is untrained: its weights are random, so nothing here tells of a trained one; give --weights, or a run of "
    "'pellucid train'"
)
COMMANDS = [
    "measure mlp --data digits --attack pgd --set steps=2 --eps 0.1 --n 8",
    "judge mlp --data digits --explainer gradient --metric sparsity --n 4",
    "explain mlp --data digits --n 2 --explainer gradient",
    "explain mlp {picture} --shape 1,8,8 --explainer gradient",
    "neurons mlp --data digits --n 60 --traced 2 --draws 20",
    "normlime mlp --data digits --cell 2 --masks 96 --n 4",
    "references mlp --data digits --explainer gradient --split test",
]


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """Weights from a file, about which nothing is known."""
    torch.save(models.build("mlp", shape=(1, 8, 8), classes=10, seed=1).state_dict(), tmp_path / "w.pt")
    return tmp_path / "w.pt"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.split()[::5]))
def test_the_first_line_says_it(command: str, tmp_path: Path, weights: Path) -> None:
    picture, out = tmp_path / "photo.png", ["--out", str(tmp_path / "out")]
    Image.radial_gradient("L").save(picture)
    words = command.format(picture=picture).split()
    assert call(*words, *out).splitlines()[0] == WORDS
    assert json.loads(call(*words, *out, "--json"))["untrained"] is True
    told = call(*words, "--weights", str(weights), "--out", str(tmp_path / "other"))
    assert "untrained" not in told


def test_the_page_of_an_audit_says_it(tmp_path: Path, weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = AuditFolder(tmp_path / "audit")
    asked = Asked("mlp", "digits", n=4)
    networks = [asked.subject(), replace(asked, weights=str(weights)).subject()]
    audited.OnScreen(Screen(), ["mlp", "mlp"], "test", folder.path).begins(networks)
    assert capsys.readouterr().err.splitlines()[0] == WORDS
    begin(networks, chosen("quick", (), explainers=("gradient",)), folder)
    assert call("report", str(folder.path)).splitlines()[0] == WORDS
    assert json.loads(call("report", str(folder.path), "--json"))["untrained"] == ["mlp"]
    page = (folder.path / "report.html").read_text()
    assert page.count(WORDS.replace("'", "&#39;")) == 1
    assert page.count("Is untrained; ") == 1
    about = json.loads((folder.path / "audit.json").read_text())
    assert about.pop("untrained") == [0]
    # as audits have it that were begun before this was said, and before checksums were kept
    (folder.path / "checksums.txt").unlink()
    (folder.path / "audit.json").write_text(json.dumps(about))
    assert "untrained" not in call("report", str(folder.path))


def test_which_networks_are() -> None:
    assert all(untrained(name) for name in models.MODELS)
    assert not untrained("mlp", weights="w.safetensors")
    assert untrained("timm:vit", options={"pretrained": False})
    for source in ("timm:vit", "my_nets:build", "runs/mine", models.MODELS["mlp"]):
        assert not untrained(source)
    assert untrained_words(["mlp", "lenet"]).startswith("mlp, lenet are untrained: their weights are random, so ")

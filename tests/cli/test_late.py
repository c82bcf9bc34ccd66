"""What needs no network is answered before torch is imported."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import sys
from pellucid import cli
code = cli.run(sys.argv[1:])
heavy = [name for name in ("torch", "numpy", "lightning_fabric", "sklearn") if name in sys.modules]
assert not heavy, heavy
sys.exit(code)
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("--help", 0),
        ("measure --help", 0),
        ("explian", 2),
        ("measure mlp --epz 1", 2),
        ("list attack", 1),
        ("list attacks", 0),
        ("list explainers --json", 0),
        ("list metrics", 0),
        ("list recipes", 0),
        ("list presets", 0),
        ("list runs", 0),
        ("list", 0),
        ("train standart", 1),
        ("measure mpl", 1),
        ("measure mlp --attack pgdd", 1),
        ("neurons mlp --eps much", 1),
        ("judge mlp --metric sparsty", 1),
        ("explain mlp --explainer gradd", 1),
        ("audit mlp --profile quik", 1),
    ],
)
def test_no_torch_for_words_alone(arguments: str, code: int) -> None:
    done = called(*arguments.split())
    assert done.returncode == code, done.stderr


def test_runs_are_listed_without_torch(tmp_path: Path) -> None:
    for name in ("begun", "damaged", "complete"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.toml").write_text("")
    epoch = {"number": 3, "epochs": 5, "loss": 1.0, "terms": {}, "weights": {}, "accuracy": 0.5, "validation": None}
    epoch |= {"learning_rate": 0.1, "seconds": 1.0, "images_per_second": 9.0}
    (tmp_path / "complete" / "epochs.jsonl").write_text(json.dumps(epoch) + "\n")
    result = {"test": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}}
    (tmp_path / "complete" / "result.json").write_text(json.dumps(result))
    (tmp_path / "damaged" / "epochs.jsonl").write_text("{")
    done = called("list", "runs", "--out", str(tmp_path), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["runs"]
    assert found["begun"] == "begun"
    assert found["complete"].startswith("complete, test accuracy 0.5")
    assert "damaged" in found["damaged"]


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", CODE, *arguments], capture_output=True, text=True, check=False)

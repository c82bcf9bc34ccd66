"""What needs no network is answered before torch is imported."""

import subprocess
import sys

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
        ("measure mpl", 1),
        ("measure mlp --attack pgdd", 1),
        ("neurons mlp --eps much", 1),
        ("judge mlp --metric sparsty", 1),
        ("explain mlp --explainer gradd", 1),
        ("audit mlp --profile quik", 1),
    ],
)
def test_no_torch_for_words_alone(arguments: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *arguments.split()], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr

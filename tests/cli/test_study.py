import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from command import call, refused
from pellucid import cli

SMALL = """
summary = "short gradients on digits"

[[rows]]
name = "standard"
recipe = "standard"

[[rows]]
name = "short"
recipe = "double-backprop"
settings = { "recipe.batch" = 20 }

[columns.accuracy]
kind = "accuracy"

[columns.attacked]
kind = "robust-accuracy"
attack = { kind = "pgd", eps = 0.1, steps = 2 }

[[claims]]
says = "Short gradients make it more robust."
first = [{ row = "short", figure = "attacked" }]
second = [{ row = "standard", figure = "attacked" }]

[scales.smoke]
images = 20
seeds = 2

[scales.smoke.settings]
"data.source" = "digits"
"data.first" = 200
"model.name" = "mlp"
"recipe.epochs" = 1
"""
COMMAND = ("study", "small.toml", "--out", "out", "--device", "cpu")


@pytest.fixture(autouse=True)
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SMALL)


def test_a_study_from_a_file_prints_claims_and_writes_its_page() -> None:
    said = call(*COMMAND)
    assert "cannot be told" in said
    page = Path(said.rsplit("page: ", 1)[1].strip())
    assert "Short gradients make it more robust." in page.read_text()
    content = json.loads(call(*COMMAND, "--json"))
    assert content["seeds"] == [0, 1]
    assert len(content["cells"]) == 4
    assert content["settings"]["short"]["recipe"]["batch"] == 20


def test_what_fails_is_listed_with_exit_code_1() -> None:
    rows = SMALL.replace('"recipe.batch" = 20', '"model.name" = "vit", "model.options" = { patch = 5 }')
    Path("small.toml").write_text(rows)
    found = CliRunner().invoke(cli.cli, [*COMMAND, "--seeds", "0"], catch_exceptions=False)
    assert found.exit_code == 1
    assert "failed: short, seed 0: " in found.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seeds", "a,b"), "'a,b' are no seeds"),
        (("--scale", "huge"), "no scale 'huge'"),
        (("--rows", "shart"), "no row 'shart'"),
        (("--part", "3/2"), "part is '3/2'"),
        (("--data", "nowhere"), "nowhere"),
    ],
)
def test_bad_words_are_refused_in_one_line(words: tuple[str, ...], said: str) -> None:
    assert said in refused(*COMMAND, *words)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('row = "short"', 'row = "shart"', "a claim names the row 'shart'"),
        ('kind = "accuracy"', 'kind = "acuracy"', "columns.accuracy.kind"),
        ('name = "short"', 'name = "standard"', "stands there twice"),
        ('recipe = "standard"', 'recipe = "standart"', "standart"),
        ('name = "short"', 'name = "../short"', "without slashes"),
        ("images = 20", "images = -1", "images is -1"),
        ("seeds = 2", "seeds = 0", "seeds is 0"),
        ('"recipe.epochs" = 1', '"recipe.epoch" = 1', "which no row has"),
    ],
)
def test_a_file_that_describes_no_study_is_refused_in_one_line(old: str, new: str, said: str) -> None:
    Path("small.toml").write_text(SMALL.replace(old, new))
    assert said in refused(*COMMAND)
    assert not Path("out").exists()


def test_a_name_that_is_not_listed_is_refused_before_anything_heavy() -> None:
    assert "noack2021-mnist" in refused("study", "noack2021-mnits")


@pytest.mark.slow
def test_the_tasks_of_an_array_make_the_study_together() -> None:
    pytest.importorskip("submitit")
    example = Path(__file__).parents[2] / "examples" / "study_on_slurm.py"
    run = subprocess.run(
        [sys.executable, str(example), "--cluster", "local", "--parts", "2", *COMMAND[1:]],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert run.returncode == 0, run.stderr
    assert "cannot be told" in run.stdout
    assert len(list(Path("out").glob("small-smoke-*/cells/*.json"))) == 4

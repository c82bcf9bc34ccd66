"""What happens to runs that are killed at any moment, told by killing them."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from nursery import KILLED, Death, Nursery, finished_despite_kills
from pellucid import models

COMMAND = [
    *["train", "jacobian", "--model", "simple-cnn", "--device", "cpu", "--seed", "7", "--json"],
    *["--set", "recipe.epochs=32", "--set", "recipe.batch=100", "--set", "recipe.average=0.9"],
    *[
        "--set",
        "recipe.validation=0.8",
        "--set",
        "recipe.keep=best",
        "--set",
        "recipe.augment=[{kind='pad-crop', pad=1}]",
    ],
]

CHECKPOINT = r"checkpoints/epoch-[0-9]+\.ckpt$"


@pytest.fixture
def nursery(tmp_path: Path) -> Generator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    if nursery.process.poll() is None:
        nursery.close()


@pytest.mark.slow
def test_a_run_killed_twenty_times_ends_bit_identical(tmp_path: Path, nursery: Nursery) -> None:
    assert nursery.run(*COMMAND, "--out", "undisturbed") == 0
    # mostly within two epochs, at a moment inside a step, a checkpoint's writing or the loading of data
    kills = finished_despite_kills(
        nursery,
        *COMMAND,
        "--out",
        "killed",
        file=CHECKPOINT,
        ahead=[0, 1, 1, 2],
        late=0.05,
        early=0.4,
    )
    assert kills >= 20
    (undisturbed,) = (tmp_path / "undisturbed").iterdir()
    (survivor,) = (tmp_path / "killed").iterdir()
    assert undisturbed.name == survivor.name
    assert (survivor / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()
    assert (survivor / "result.json").read_text() == (undisturbed / "result.json").read_text()
    epochs = [
        [json.loads(line) for line in (run / "epochs.jsonl").read_text().splitlines()]
        for run in (undisturbed, survivor)
    ]
    for first, second in zip(*epochs, strict=True):
        assert {**first, "seconds": 0, "images_per_second": 0} == {**second, "seconds": 0, "images_per_second": 0}
    assert not list(survivor.rglob(".*.unfinished")), "no half-written file is left"
    assert not (survivor / "checkpoints").exists(), "a complete run keeps no checkpoints"
    models.load(str(survivor))


def test_a_damaged_checkpoint_is_told_and_the_one_before_it_used(tmp_path: Path, nursery: Nursery) -> None:
    short = [argument.replace("epochs=32", "epochs=8") for argument in COMMAND]
    assert nursery.run(*short, "--out", "undisturbed") == 0
    arguments = [argument for argument in short if argument != "--json"]
    assert nursery.run(*arguments, "--out", "damaged", death=Death(CHECKPOINT, 3)) == KILLED
    (run,) = (tmp_path / "damaged").iterdir()
    path = max((run / "checkpoints").glob("epoch-*.ckpt"))
    path.write_bytes(path.read_bytes()[:-10])
    assert nursery.run(*arguments, "--out", "damaged") == 0
    said = nursery.close()
    assert f"{path.name} is damaged (its checksum does not match) and was passed over" in said
    assert f"going on after epoch {int(path.stem.removeprefix('epoch-')) - 1}" in said
    (undisturbed,) = (tmp_path / "undisturbed").iterdir()
    assert (run / "model.safetensors").read_bytes() == (undisturbed / "model.safetensors").read_bytes()

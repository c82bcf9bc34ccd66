"""`pellucid references`, and training with what it made."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner
from lightning_fabric import Fabric
from PIL import Image

from command import call, refused
from nursery import KILLED, Death, Nursery
from pellucid import cli, data, models, runs
from pellucid.explainers import Gradient
from pellucid.train.references import MapFolder, Stored, Taught

QUICK = ["--model", "mlp", "--device", "cpu", "--set", "recipe.epochs=1"]
LESSON = [
    *["--set", "references.reference={kind='taught', recipe='standard'}"],
    *["--set", "references.reference.settings.recipe.epochs=1"],
    *["--set", "references.reference.explainer={kind='smoothgrad', samples=2}"],
]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def trained(*arguments: str) -> dict[str, Any]:
    return json.loads(call("train", "standard", *QUICK, *arguments, "--json"))


def maps_of(*arguments: str) -> list[Path]:
    content = json.loads(call("references", *arguments, "--device", "cpu", "--json"))
    return [Path(maps["path"]) for maps in content["maps"]]


def test_a_run_teaches_and_another_run_knows_whose_maps_it_learned_from() -> None:
    teacher = trained()["path"]
    smooth, plain = maps_of(teacher, "--explainer", "smoothgrad"), maps_of(teacher, "--explainer", "gradient")
    assert maps_of(teacher, "--explainer", "smoothgrad,gradient") == [*smooth, *plain]
    digits = data.load("digits").train
    (batch,) = digits.batches([torch.arange(len(digits))])
    expected = Gradient().on(models.load(teacher), batch).map
    assert torch.allclose(MapFolder.open(plain[0]).load(), expected, atol=1e-6)

    student = trained("--reference", str(smooth[0]), "--set", "references.reference.threshold=1.0")
    reference = runs.RunFolder(Path(student["path"])).spec().references["reference"]
    fingerprint = MapFolder.open(smooth[0]).fingerprint
    assert reference == Stored(str(smooth[0]), threshold=1.0, fingerprint=fingerprint)
    # the same maps from elsewhere are the same run, other maps or another threshold are another
    elsewhere = smooth[0].rename("elsewhere")
    assert trained("--reference", str(elsewhere), "--set", "references.reference.threshold=1.0") == student
    names = {student["path"], teacher}
    names |= {trained("--reference", str(path))["path"] for path in (elsewhere, plain[0])}
    assert len(names) == 4


def test_the_specification_of_a_run_with_maps_repeats_it() -> None:
    (maps,) = maps_of(trained()["path"], "--explainer", "gradient")
    student = trained("--reference", str(maps))
    again = json.loads(call("train", f"{student['path']}/spec.toml", "--out", "other", "--device", "cpu", "--json"))
    assert Path(again["path"]).name == Path(student["path"]).name
    assert again["epochs"][0]["loss"] == student["epochs"][0]["loss"]
    (other,) = maps_of(trained("--seed", "1")["path"], "--explainer", "gradient")
    command = ["train", f"{student['path']}/spec.toml", "--reference", str(other), "--device", "cpu"]
    assert refused(*command) == (
        f"the maps in '{other}' are not those that the settings were made for; "
        "set their fingerprint to '' to train with these"
    )


def test_maps_for_people() -> None:
    out = call("references", "mlp", "--data", "digits", "--explainer", "gradient", "--of", "predicted")
    assert "mlp on digits, 1438 images" in out
    assert re.search(r"gradient +predicted +float32 +references/gradient-[0-9a-f]{12}", out)
    assert "smoothgrad" in call("list", "explainers")
    assert json.loads(call("list", "references", "--json"))["references"].keys() >= {"stored", "taught", "masks"}


def test_half_precision_and_a_split_of_one_s_choice() -> None:
    options = [
        "--data",
        "digits",
        "--explainer",
        "gradient",
        "--split",
        "test",
        "--dtype",
        "float16",
        "--batch",
        "100",
    ]
    (path,) = maps_of("mlp", *options)
    maps = MapFolder.open(path).load()
    assert maps.shape == (359, 1, 8, 8) and maps.dtype == torch.float16
    message = refused("train", "standard", *QUICK, "--reference", str(path))
    assert message.startswith(f"the maps in '{path}' are of 359 images of 1x8x8 (")
    assert not Path("runs").exists(), "nothing is begun that cannot go on"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["references", "mlp"], "'mlp' is no run, so it does not know its data; give --data"),
        (
            ["references", "mlp", "--data", "digits", "--explainer", "smothgrad"],
            "no explainer is called 'smothgrad' (did you mean 'smoothgrad'?)",
        ),
        (
            ["references", "mlp", "--data", "digits", "--set", "sample=3"],
            "there is no setting 'sample' (did you mean 'samples'?)",
        ),
        (
            ["train", "standard", *QUICK, "--reference", "nowhere"],
            "'nowhere' holds no maps: it does not exist; 'pellucid references' makes some and says where they lie",
        ),
        (
            ["train", "standard", *QUICK, "--set", "references.reference={kind='taught', recipe='standrad'}"],
            "no recipe is called 'standrad' (did you mean 'standard'?)",
        ),
        (
            ["train", "standard", *QUICK, "--set", "references.reference={kind='tought'}"],
            "references.reference.kind is \"tought\" (did you mean 'taught'?)",
        ),
        (
            ["train", "standard", *QUICK, "--set", "references.reference={kind='stored'}"],
            "references.reference must say: path",
        ),
        (
            ["train", "standard", *QUICK, "--set", "references.reference={kind='masks', folder='here'}"],
            "1438 of 1438 masks are missing, the first is 'here/00000.png'; give each training image one",
        ),
    ],
)
def test_what_cannot_be_done(arguments: list[str], message: str) -> None:
    assert refused(*arguments) == message


def test_a_teacher_is_trained_first_and_found_again() -> None:
    student = trained(*LESSON, "--seed", "3")
    taught = runs.RunFolder(Path(student["path"])).spec().references["reference"]
    assert isinstance(taught, Taught)
    (place,) = (folder for folder in runs.runs_in(Path("runs")) if str(folder.path) != student["path"])
    spec = place.spec()
    assert spec.fingerprint == taught.fingerprint
    assert (spec.method, spec.seed, spec.recipe.epochs) == ("standard", 3, 1)
    own = runs.RunFolder(Path(student["path"])).spec()
    assert (spec.data, spec.model) == (own.data, own.model)
    (maps,) = (place.path / "references").iterdir()
    about = MapFolder.open(maps).about
    assert (about["explainer"]["samples"], about["of"], about["seed"]) == (2, "label", 3)
    written = (maps / "maps.npy").stat().st_mtime_ns
    # another student of the same teacher
    other = trained(*LESSON, "--seed", "3", "--set", "references.reference.threshold=2.0")
    assert other["path"] != student["path"]
    assert len(runs.runs_in(Path("runs"))) == 3
    assert (maps / "maps.npy").stat().st_mtime_ns == written


def test_what_a_teacher_s_student_says_of_its_progress() -> None:
    settings = runs.table("standard", {"model.name": "mlp"}, ["recipe.epochs=1", *LESSON[1::2]])
    spec, images = runs.prepare(settings)
    fabric = Fabric(accelerator="cpu", devices=1)
    fabric.launch()
    events = list(runs.execute(spec, images, runs.RunFolder(Path("runs") / spec.folder), fabric))
    kinds = [type(event).__name__ for event in events]
    order = [kind for number, kind in enumerate(kinds) if number == 0 or kinds[number - 1] != kind]
    assert order == ["Teaching", "Step", "Epoch", "Progress", "Step", "Epoch", "Finished"]
    result = CliRunner().invoke(
        cli.cli, ["train", "standard", *QUICK, *LESSON, "--seed", "1"], catch_exceptions=False
    )
    assert "its teacher first: runs/standard-digits-mlp-" in result.stderr


def test_masks_of_a_folder_of_images_are_found_by_the_images_names(tmp_path: Path) -> None:
    for name in ("blue", "red"):
        for number in range(6):
            for place in ("images", "masks"):
                path = tmp_path / place / name / f"{number}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (8, 8), 40 * number).save(path)
    masks = ["--set", "references.reference={kind='masks', folder='masks'}"]
    student = trained("--data", "images", *masks)
    (tmp_path / "masks").rename(tmp_path / "drawn")
    moved = ["--set", "references.reference={kind='masks', folder='drawn'}"]
    assert trained("--data", "images", *moved)["path"] == student["path"]


@pytest.fixture
def nursery(tmp_path: Path) -> Generator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    if nursery.process.poll() is None:
        nursery.close()


@pytest.mark.slow
def test_maps_whose_making_is_killed_again_and_again_come_out_the_same(tmp_path: Path, nursery: Nursery) -> None:
    teacher = trained()["path"]
    command = ["references", teacher, "--set", "samples=40", "--batch", "64", "--device", "cpu", "--json"]
    assert nursery.run(*command, "--out", "undisturbed") == 0
    for chunks in (1, 2, 3):  # the first is the header
        assert nursery.run(*command, "--out", "killed", death=Death(r"maps\.partial$", chunks)) == KILLED
    assert nursery.run(*command, "--out", "killed") == 0
    (undisturbed,), (survivor,) = ((tmp_path / place).iterdir() for place in ("undisturbed", "killed"))
    for name in ("maps.npy", "reference.json"):
        assert (survivor / name).read_bytes() == (undisturbed / name).read_bytes()
    assert {path.name for path in survivor.iterdir()} == {"maps.npy", "reference.json", "checksums.txt", ".lock"}

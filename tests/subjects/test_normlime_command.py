"""`pellucid normlime`, as a person or a program sees it, also when it is killed."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from command import call, refused
from nursery import Nursery, undisturbed_and_killed
from pellucid.evaluate import ImportanceFolder
from pellucid.explainers.lime import TooFewMasks
from pellucid.explainers.normlime import Rule

QUICK = ["normlime", "mlp", "--data", "digits", "--device", "cpu", "--n", "24", "--masks", "80"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def found(*arguments: str) -> dict[str, Any]:
    return json.loads(call(*QUICK, *arguments, "--json"))


def test_a_table_for_people() -> None:
    out = call(*QUICK, "--cell", "2", "--top", "2")
    for word in ("mlp on digits, 24 images by their predicted class", "95 % interval", "used by", "mean adjusted R²"):
        assert word in out
    assert re.search(r"nothing is known of class [\d, ]+: no image was predicted as it", out)


def test_a_rule_costs_no_more_passes_and_has_files_of_its_own() -> None:
    first = found("--cell", "2")
    (folder,) = Path("importance").iterdir()
    chunk = (folder / "chunks" / "00000.npz").stat()
    assert Path(first["path"]) == folder / "normlime-both-class"
    other = found("--cell", "2", "--kind", "mean-abs", "--sign", "positive", "--by", "global")
    assert Path(other["path"]) == folder / "mean-abs-positive-global"
    assert [row["class"] for row in other["features"]] == ["all"] * 5
    assert (folder / "chunks" / "00000.npz").stat().st_mtime_ns == chunk.st_mtime_ns
    maps = numpy.load(folder / "normlime-both-class" / "maps.npz")
    assert maps["maps"].shape == (10, 8, 8) and maps["classes"].tolist() == list("0123456789")
    assert set(first["pictures"]) == {"sheet", *"0123456789"}
    for name, path in first["pictures"].items():
        with Image.open(path) as picture:
            assert picture.size == (8, 8) if name != "sheet" else picture.width > 5 * 160
    importance = ImportanceFolder(folder).importance(Rule())
    best = first["features"][0]
    assert best["value"] == float(importance.values.max(1).values[int(best["class"])])
    assert found("--cell", "2", "--labels", "true")["path"] != first["path"]


def test_by_default_no_cell_of_a_small_image_is_its_own_mean() -> None:
    content = found("--masks", "400", "--set", "output=logit")
    assert content["lime"]["segmentation"] == {"kind": "grid", "rows": 4, "columns": 4}
    assert content["lime"]["baseline"] == "segment-mean"
    assert len({row["feature"] for row in content["features"]}) <= 16
    # the corners of digits are black, and hide nothing in most images
    assert 0 < content["idle"] < 0.5
    (note,) = content["notes"]
    assert note == (
        f"{content['idle']:.0%} of an image's parts, on average, hide nothing: they are as the baseline "
        "'segment-mean' already, and count for nothing"
    )
    counted = {row["feature"]: row["count"] for row in content["features"]}
    assert all(row["count"] <= row["explanations"] for row in content["features"]) and counted
    assert note in call(*QUICK, "--masks", "400", "--set", "output=logit")


def test_cells_of_a_pixel_show_the_mean_of_the_image_and_that_is_said() -> None:
    content = found("--cell", "1", "--masks", "330")
    assert content["lime"]["baseline"] == "mean"
    assert content["notes"][0] == (
        "cells are less than 2 x 2 pixels, whose own mean would hide little: the baseline is 'mean'"
    )


def test_classes_of_which_nothing_is_known_are_drawn_as_missing() -> None:
    content = found("--cell", "2")
    assert content["missing"], "a network that was never trained does not say every class"
    assert set(content["missing"].values()) == {"no image was predicted as it"}
    for name in "0123456789":
        with Image.open(content["pictures"][name]) as picture:
            gray = (numpy.asarray(picture) == 0xB8).all(-1)
        assert gray.all() if name in content["missing"] else not gray.all()


def test_too_few_masks_to_tell_how_good_the_fit_is_are_told() -> None:
    with pytest.warns(TooFewMasks, match="^Lime drew 12 masks for up to 16 segments, .*; set masks to 80 or more$"):
        out = call(*QUICK, "--masks", "12", "--cell", "2")
    assert "how much the linear models account for cannot be told from so few masks; give more with --masks" in out
    assert found("--masks", "12", "--cell", "2")["adjusted_r2"] is None


def test_superpixels_with_words() -> None:
    content = found("--segmentation", "slic", "--words", "3", "--compat", "interpretdl")
    assert content["words"] == 3 and content["rule"]["compat"] == "interpretdl"
    assert all(row["feature"] < 3 and row["place"] == "" for row in content["features"])
    assert not (Path(content["path"]) / "maps.npz").exists()
    assert content["pictures"] == {}
    assert "word" in call(*QUICK, "--segmentation", "slic", "--words", "3")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["normlime", "mlp"], "'mlp' is no run, so it does not know its data; give --data"),
        (
            [*QUICK, "--segmentation", "slic"],
            "superpixels by 'slic' are others in each image, so that they need words to be put together; "
            "give --words 20, or --segmentation grid",
        ),
        (
            [*QUICK, "--layer", "fc1"],
            "--layer fc1 describes words for superpixels, and there are none; give --words 20 too",
        ),
        (
            [*QUICK, "--cell", "1", "--set", "baseline=segment-mean"],
            "Lime has baseline='segment-mean', and 64 of 64 cells are a single pixel of images of 8 x 8, whose mean "
            "is the pixel; give fewer rows and columns, or the baseline 'mean' or a number",
        ),
        ([*QUICK, "--segmentation", "slick"], "no segmentation is called 'slick' (did you mean 'slic'?)"),
        ([*QUICK, "--set", "alhpa=1"], "there is no setting 'alhpa' (did you mean 'alpha'?)"),
    ],
)
def test_what_is_refused(arguments: list[str], message: str) -> None:
    assert refused(*arguments) == message
    assert not list(Path().glob("importance/*/chunks"))


KILLED = [
    *["normlime", "mlp", "--data", "digits", "--split", "train", "--n", "240", "--batch", "8", "--masks", "160"],
    *["--cell", "2", "--device", "cpu", "--seed", "3", "--json"],
]


@pytest.fixture
def nursery(tmp_path: Path) -> Generator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    if nursery.process.poll() is None:
        nursery.close()


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path, nursery: Nursery) -> None:
    undisturbed, survivor = undisturbed_and_killed(nursery, tmp_path, *KILLED, ahead=[4, 9, 14], least=2)
    files = sorted(path.relative_to(undisturbed) for path in undisturbed.rglob("*.*") if path.name != ".lock")
    assert files == sorted(path.relative_to(survivor) for path in survivor.rglob("*.*") if path.name != ".lock")
    for one, other in zip(ImportanceFolder(undisturbed).chunks(), ImportanceFolder(survivor).chunks(), strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)
    table = Path("normlime-both-class") / "importance.csv"
    assert (undisturbed / table).read_bytes() == (survivor / table).read_bytes()

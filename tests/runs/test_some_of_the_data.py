"""Runs on some classes of a folder, and on some images of each class."""

import json
from pathlib import Path

import pytest
import torch
from PIL import Image

from command import call
from pellucid import runs
from pellucid.data import few_of_each, load
from pellucid.errors import ConfigError, DataError
from pellucid.subjects import Asked

COMMAND = ("train", "standard", "--model", "mlp", "--device", "cpu", "--set", "recipe.epochs=1", "--json")


def spec(*assignments: str) -> runs.Spec:
    return runs.build(runs.table("standard", {}, assignments))


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for shade, name in enumerate(("blue", "green", "red")):
        for part, count in (("train", 4 + shade), ("test", 3)):
            (Path("images") / part / name).mkdir(parents=True)
            for number in range(count):
                picture = Image.new("RGB", (8, 8), (20 * number, 80 * shade, 120))
                picture.save(Path("images") / part / name / f"{number}.png")


def test_few_of_each_class_are_drawn_and_keep_their_order() -> None:
    split = load("digits").train
    few = few_of_each(split, 7, seed=3)
    assert few.labels.bincount().tolist() == [7] * 10
    (batch,) = few.batches([torch.arange(len(few))])
    assert torch.equal(batch.index, batch.index.sort().values)
    assert torch.equal(split.labels[batch.index], few.labels)
    again, other = few_of_each(split, 7, seed=3), few_of_each(split, 7, seed=4)
    assert few.fingerprint() == again.fingerprint() != other.fingerprint()
    # fewer are some of more, and a class that is short of images gives what it has
    (more,) = few_of_each(split, 8, seed=3).batches([torch.arange(80)])
    assert set(batch.index.tolist()) < set(more.index.tolist())
    short = split.take(torch.cat([(split.labels == 0).nonzero()[:3, 0], (split.labels == 1).nonzero()[:9, 0]]))
    assert few_of_each(short, 5).labels.bincount().tolist() == [3, 5]
    assert few_of_each(split, 10**6).fingerprint() == split.fingerprint()
    assert len(few_of_each(split.take(0), 2)) == 0
    with pytest.raises(ConfigError, match="^count is 0; take 1 image of each class or more$"):
        few_of_each(split, 0)


def test_a_limit_is_for_each_class_and_comes_before_the_first_images() -> None:
    found = runs.load_data(runs.DataSpec("images", limit=2, workers=0))
    assert found.train.labels.tolist() == [0, 0, 1, 1, 2, 2] and len(found.test) == 9
    assert runs.load_data(runs.DataSpec("images", limit=2, first=3, workers=0)).train.labels.tolist() == [0, 0, 1]
    # the largest class alone is cut
    assert len(runs.load_data(runs.DataSpec("images", limit=5, workers=0)).train) == 4 + 5 + 5
    message = "limit is 7, and no class of 'images' has more than 6 training images; give less, or 0 for all"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        runs.load_data(runs.DataSpec("images", limit=7, workers=0))
    message = "first is 7, and 'images' has 6 training images; give less, or 0 for all"
    with pytest.raises(ConfigError, match=f"^{message}$"):
        runs.load_data(runs.DataSpec("images", limit=2, first=7, workers=0))


def test_runs_that_say_nothing_of_it_keep_their_names() -> None:
    plain = spec().fingerprint
    assert spec("data.limit=0", "data.only=''").fingerprint == plain
    assert spec("data.limit=5").fingerprint != plain
    assert spec("data.only=some.txt").fingerprint == plain, "the images tell, not where the list lies"


def test_a_run_knows_its_classes_wherever_the_list_lay() -> None:
    Path("one.txt").write_text("red\nblue\n")
    Path("other.txt").write_text("# the same\nblue\nred\n")
    words = (*COMMAND, "--data", "images", "--set", "data.limit=3")
    one, other, whole = (
        json.loads(call(*words, *more, "--out", f"runs{number}"))
        for number, more in enumerate((["--set", "data.only=one.txt"], ["--set", "data.only=other.txt"], []))
    )
    assert one["spec"]["data"]["only"] == "one.txt"
    assert Path(one["path"]).name == Path(other["path"]).name != Path(whole["path"]).name
    assert one["spec"]["model"]["options"]["classes"] == 2
    subject = Asked(one["path"], device="cpu").subject()
    assert subject.split.classes == ("blue", "red") and len(subject.split) == 6
    assert subject.train is not None and subject.train.labels.tolist() == [0] * 3 + [1] * 3


def test_a_list_of_what_is_not_there_is_refused_before_anything_is_trained() -> None:
    Path("some.txt").write_text("red\npink\n")
    with pytest.raises(DataError, match="^the class folder 'pink' is asked for, and 'images/test'"):
        runs.prepare(runs.table("standard", {"data.source": "images", "data.only": "some.txt"}))

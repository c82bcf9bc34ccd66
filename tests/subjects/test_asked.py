"""The question which network, which images, on what: every command takes the same, and says what does not apply."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from command import call, refused
from pellucid.cli import cli
from pellucid.errors import ConfigError, DataError, ShapeError
from pellucid.subjects import Asked, classes_asked, one_class_asked

ASKING = ("measure", "judge", "explain", "references", "normlime", "retrain", "neurons", "audit")
JUDGED = ("--metric", "sparsity", "--explainer", "gradient")
FLAT = ("mlp", "--data", "pictures", "--option", "shape=[1, 8, 8]", "--option", "classes=3", "--device", "cpu")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pictures() -> None:
    """Images that nobody has labeled."""
    Path("pictures").mkdir()
    for number in range(5):
        Image.new("L", (8, 8), 40 * number).save(f"pictures/{number}.png")


def test_all_commands_ask_by_the_same_options() -> None:
    for shared in (
        "data",
        "weights",
        "options",
        "split",
        "n",
        "size",
        "skip_bad",
        "seed",
        "device",
        "download",
        "trust",
    ):
        forms = {
            (parameter.opts[0], getattr(parameter, "help", "")) if shared != "n" else parameter.opts[0]
            for name in ASKING
            for parameter in cli.commands[name].params
            if parameter.name == shared
        }
        assert len(forms) == 1, forms


def test_the_answer_is_a_network_with_its_images() -> None:
    asked = Asked("mlp", "digits", n=7, options=("hidden=[5]",), split="train", device="cpu")
    subject = asked.subject()
    assert len(subject.split) == 7 and subject.train is not None and len(subject.train) > 1000
    assert subject.labeled and subject.untrained and subject.source == "digits"
    assert [len(one.split) for one in asked.subjects(["mlp", "mlp"])] == [7, 7]


@pytest.mark.usefixtures("pictures")
def test_images_without_labels_do_where_none_are_needed() -> None:
    subject = Asked("mlp", "pictures", options=("shape=[1, 8, 8]", "classes=3"), device="cpu").subject()
    assert not subject.labeled and subject.split.classes == ("0", "1", "2") and len(subject.split) == 5
    found = json.loads(call("explain", *FLAT, "--explainer", "gradient", "--n", "2", "--json"))
    assert len(found["pictures"]) == 2
    remedy = "put them into a folder for each class"
    nobody = "nobody has labeled the images of 'pictures', and"
    for arguments, need in (
        (("measure", *FLAT, "--attack", "gaussian-noise"), "accuracy is about labels"),
        (
            ("judge", *FLAT, "--metric", "sparsity", "--explainer", "gradient", "--of", "label"),
            "--of label explains for labels",
        ),
        (("references", *FLAT, "--explainer", "gradient", "--split", "test"), "--of label explains for labels"),
        (("neurons", *FLAT), "neurons are judged by labels"),
    ):
        assert refused(*arguments) == f"{nobody} {need}; {remedy}"
    with pytest.raises(DataError, match="nobody has labeled"):
        subject.check_labeled("something is about labels")


@pytest.mark.parametrize(
    ("asked", "error", "message"),
    [
        (Asked("mlp"), ConfigError, "'mlp' is no run, so it does not know its data; give --data"),
        (Asked("mlp", size=8), ConfigError, "a run knows how its images are read; give --data to read others"),
        (
            Asked("mlp", "digits", split="validation"),
            ConfigError,
            "'digits' has no validation images; measure on --split test",
        ),
        (Asked("mlp", "digits", n=0), ConfigError, "n is 0; measure on 1 image or more"),
        (
            Asked("mlp", "digits", options=("classes=7",)),
            ShapeError,
            "'mlp' tells 7 classes apart and 'digits' has 10; take images of the classes that it has learned",
        ),
    ],
)
def test_what_cannot_be_answered(asked: Asked, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        asked.subject()


def test_what_does_not_apply_is_said() -> None:
    Image.new("L", (8, 8)).save("one.png")
    explain = ("explain", "mlp", "one.png", "--explainer", "gradient", "--device", "cpu")
    assert refused(*explain, "--shape", "1,8,8", "--n", "3") == (
        "--n 3 draws images of the data, and image files are named; leave it out"
    )
    assert refused(*explain, "--data", "digits", "--shape", "1,8,8") == (
        "--shape 1,8,8 is for networks without data, and the data tell theirs; leave it out"
    )
    assert refused(*explain, "--shape", "1,8,8", "--size", "8") == (
        "--size 8 says no channels, and neither does 'mlp'; give --shape alone, or --data"
    )
    assert refused(*explain, "--shape", "1,8,8", "--skip-bad") == (
        "--skip-bad and --map say how data are read, and none are named; give --data"
    )
    assert refused("retrain", "mlp", "--data", "digits", "--weights", "w.pt", "--device", "cpu") == (
        "networks are retrained as they were trained, which weights do not tell; leave --weights out, or name a run"
    )


def test_explain_says_how_many_it_draws_where_nobody_does() -> None:
    found = json.loads(
        call("explain", "mlp", "--data", "digits", "--explainer", "gradient", "--device", "cpu", "--json")
    )
    assert len(found["pictures"]) == 8


def test_references_of_some_images_are_not_for_training() -> None:
    command = ("references", "mlp", "--data", "digits", "--explainer", "gradient", "--device", "cpu")
    assert "training takes maps of all its images, made without --n" in call(*command, "--n", "3")
    assert "to train with them: pellucid train RECIPE --reference FOLDER" in call(*command)


def test_which_class_is_asked_about() -> None:
    classes = ("cat", "dog")
    assert classes_asked(["pair", "dog", "0", "all"], classes) == ("predicted", "runner-up", 1, 0)
    assert one_class_asked("label", classes) == "label"
    assert one_class_asked("dog", classes) == 1
    with pytest.raises(ConfigError, match=re.escape("--of cat,dog asks about 2 classes")):
        one_class_asked("cat,dog", classes)


def test_budgets_are_shown_as_they_were_typed() -> None:
    command = (
        "measure",
        "mlp",
        "--data",
        "digits",
        "--n",
        "4",
        "--attack",
        "pgd",
        "--set",
        "steps=1",
        "--no-verdicts",
    )
    eps = ("--set", "steps=1", "--eps", "8/255, 0.1", "--device", "cpu")
    assert "robust accuracy at linf 8/255" in call(*command, *eps)
    (attack,) = json.loads(call(*command, *eps, "--json"))["attacks"]
    found = [(entry["eps"], entry["typed"]) for entry in attack["robust_accuracy"].values()]
    assert found == [(8 / 255, "8/255"), (0.1, "0.1")]


def test_settings_of_several_attacks() -> None:
    command = (
        "measure",
        "mlp",
        "--data",
        "digits",
        "--n",
        "4",
        "--attack",
        "pgd,apgd",
        "--eps",
        "0.1",
        "--no-verdicts",
    )
    sets = ("--eps", "0.1", "--set", "steps=2", "--set", "apgd.steps=3", "--device", "cpu", "--json")
    attacks = json.loads(call(*command, *sets))["attacks"]
    assert [one["attack"]["steps"] for one in attacks] == [2, 3]

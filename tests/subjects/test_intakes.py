"""Networks that say what images they take, and what their classes are called, asked about by commands."""

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from command import call, refused
from pellucid.errors import ConfigError, DataError, ShapeError
from pellucid.subjects import Asked

NETS = """
import torch
from torch import nn
from pellucid import Intake, with_intake

NAMES = ("tabby, tabby cat", "espresso", "space shuttle")


def silent(classes: int = 3, side: int = 12) -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * (side - 2) ** 2, classes))


def told(side: int = 12, crop: float = 0.875, classes: int = 3) -> nn.Module:
    return with_intake(silent(classes, side), Intake((3, side, side), crop=crop, classes=NAMES))


def nameless() -> nn.Module:
    return with_intake(silent(), Intake((3, 12, 12), crop=0.875))
"""
CPU = ("--device", "cpu")
NOISE = ("--attack", "gaussian-noise", "--no-verdicts", *CPU)
GRADIENT = ("--explainer", "gradient", *CPU)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with networks, and pictures of several sizes."""
    monkeypatch.chdir(tmp_path)
    Path("intaken_nets.py").write_text(NETS)
    sizes = {"photos/tabby": (20, 14), "photos/1": (15, 31), "photos/Space_Shuttle": (40, 40), "flat": (17, 13)}
    for number, (folder, size) in enumerate(sizes.items()):
        Path(folder).mkdir(parents=True)
        shade = Image.linear_gradient("L").resize(size)
        Image.merge("RGB", [shade, shade.rotate(90 * number), shade]).save(f"{folder}/a.jpg")
    Image.new("RGB", (30, 30), "red").save("flat/b.png")


def classes_of(*words: str) -> set[str]:
    """The classes that explanations are about."""
    return {entry["of"] for entry in json.loads(call(*words, *GRADIENT, "--json"))["explanations"]}


def test_pictures_need_no_shape() -> None:
    found = classes_of("explain", "intaken_nets:told", "flat/a.jpg", "flat")
    assert found and found <= {"tabby", "espresso", "space shuttle"}
    assert refused("explain", "intaken_nets:silent", "flat/a.jpg", *GRADIENT) == (
        "'intaken_nets:silent' does not say what images it takes; give channels, height and width: --shape 3,32,32"
    )


def test_a_shape_or_a_size_overrides_what_the_network_says() -> None:
    for words in (("--shape", "3,12,12"), ("--size", "12")):
        call("explain", "intaken_nets:told", "flat/a.jpg", *GRADIENT, *words)
        told = refused("explain", "intaken_nets:told", "flat/a.jpg", *GRADIENT, words[0], words[1].replace("12", "9"))
        assert told.startswith("'intaken_nets:told' does not take images of 3 x 9 x 9: ")
        assert told.endswith("; it says that it takes 3 x 12 x 12, so leave --size and --shape out")
    with pytest.raises(ShapeError, match=r"so leave --size and --shape out$"):
        Asked("intaken_nets:told", "photos", size=9, device="cpu").subject()


def test_a_folder_is_scaled_and_named_as_the_network_says() -> None:
    subject = Asked("intaken_nets:told", "photos", device="cpu").subject()
    assert subject.split.shape == (3, 12, 12) and subject.split.labels.tolist() == [1, 2, 0]
    assert subject.split.classes == ("tabby", "espresso", "space shuttle") and subject.train is None
    other = Asked("intaken_nets:told", "photos", size=12, device="cpu").subject()
    assert other.split.fingerprint() != subject.split.fingerprint()  # without the crop


@pytest.mark.parametrize(
    "command",
    [
        ("measure", *NOISE),
        ("judge", "--metric", "sparsity", *GRADIENT),
        ("explain", *GRADIENT),
        ("neurons", *CPU),
        ("normlime", "--masks", "200", *CPU),
        ("audit", "--profile", "quick", *GRADIENT),
    ],
)
def test_a_folder_with_one_image_of_a_class_will_do(command: tuple[str, ...]) -> None:
    name, *options = command
    call(name, "intaken_nets:told", "--data", "photos", *options)


@pytest.mark.parametrize("data", ["flat", "flat/a.jpg"])
@pytest.mark.parametrize("command", ["explain", "judge", "audit"])
def test_pictures_without_labels_will_do(command: str, data: str) -> None:
    options = {"judge": ("--metric", "sparsity"), "explain": (), "audit": ("--profile", "quick")}[command]
    call(command, "intaken_nets:told", "--data", data, *options, *GRADIENT)


@pytest.mark.parametrize("part", ["test", "val", "train"])
def test_a_single_part_will_do(part: str) -> None:
    Path(part).mkdir()
    Path("photos").rename(f"{part}/{part}")
    words = ("--split", "train") if part == "train" else ()
    for network in ("told", "silent"):
        size = () if network == "told" else ("--size", "12")
        assert "3 images" in call("measure", f"intaken_nets:{network}", "--data", part, *NOISE, *words, *size)


def test_a_part_that_is_not_there_is_said() -> None:
    Path("only").mkdir()
    Path("photos").rename("only/train")
    assert refused("measure", "intaken_nets:told", "--data", "only", *NOISE) == (
        "'only' has no test images; measure on --split train"
    )
    assert refused("measure", "intaken_nets:told", "--data", "only", *NOISE, "--split", "all") == (
        "'only' comes divided; measure on --split train"
    )


def test_what_learns_says_that_it_needs_training_images() -> None:
    words = ("explain", "intaken_nets:told", "--data", "photos", "--explainer", "expected-gradients", *CPU)
    assert refused(*words) == (
        "expected-gradients learns from images of its own; give them with --data, in a folder 'train'"
    )


def test_all_images_of_a_network_without_names_too() -> None:
    words = ("measure", "intaken_nets:nameless", "--data", "photos", *NOISE)
    assert refused(*words) == (
        "the class folder 'photos/1' has too few images to divide (1); add some until there are 3, "
        "or make train and test folders; to look at a network and train none, take --split all"
    )
    assert "3 images" in call(*words, "--split", "all")


def test_names_come_from_a_file() -> None:
    Path("names.txt").write_text("tabby\nmug\nspace shuttle\n")
    subject = Asked("intaken_nets:told", "photos", classes="names.txt", device="cpu").subject()
    assert subject.split.classes == ("tabby", "mug", "space shuttle")
    words = ("intaken_nets:silent", "flat", "--shape", "3,12,12", "--of", "mug")
    assert classes_of("explain", *words, "--classes", "names.txt") == {"mug"}
    unlabeled = Asked("intaken_nets:silent", "flat", classes="names.txt", size=12, device="cpu").subject()
    assert unlabeled.split.classes == ("tabby", "mug", "space shuttle") and not unlabeled.labeled


def test_other_numbers_of_names_are_refused() -> None:
    Path("names.txt").write_text("a\nb\n")
    Path("four.txt").write_text("tabby\nmug\nspace shuttle\nfour\n")
    told = "'intaken_nets:told' tells 3 classes apart and"
    assert refused("explain", "intaken_nets:told", "flat", "--classes", "imagenet", *GRADIENT) == (
        f"{told} 'imagenet' names 1,000; give a name for each"
    )
    assert refused("explain", "intaken_nets:told", "--data", "flat", "--classes", "names.txt", *GRADIENT) == (
        f"{told} 'names.txt' names 2; give a name for each"
    )
    assert refused("measure", "intaken_nets:told", "--data", "photos", "--classes", "four.txt", *NOISE) == (
        f"{told} 'four.txt' names 4; give a name for each"
    )
    assert refused("measure", "intaken_nets:told", "--option", "classes=5", "--data", "photos", *NOISE) == (
        "'intaken_nets:told' tells 5 classes apart and what it says of itself names 3; give a name for each"
    )


def test_a_map_says_what_other_folders_are() -> None:
    Path("photos/tabby").rename("photos/minka")
    words = ("measure", "intaken_nets:told", "--data", "photos", *NOISE)
    assert refused(*words) == (
        "'photos' has classes that the network does not know by name or number: minka; "
        "rename them, or give --map FILE with a line for each: folder,class"
    )
    Path("map.csv").write_text("minka,tabby cat\n")
    assert "3 images" in call(*words, "--map", "map.csv")
    for network, data in (("nameless", "digits"), ("told", "flat")):
        with pytest.raises(ConfigError, match=r"^--map map\.csv says which classes of the network folders are"):
            Asked(f"intaken_nets:{network}", data, map="map.csv", device="cpu").subject()


def test_networks_that_want_other_images_are_not_shown_the_same() -> None:
    Path("other_nets.py").write_text(
        NETS.replace("tabby", "moggy").replace("0.875", "0.5").replace("crop=0.5)", "crop=0.5, interpolation='box')")
    )
    asked = Asked("intaken_nets:told", "photos", device="cpu")
    message = (
        "'intaken_nets:told' takes images as 3 x 12 x 12 (0.875 of a picture, bilinear) and 'other_nets:nameless' as "
        "3 x 12 x 12 (0.5 of a picture, box); ask about each alone, or give --size for both"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        asked.subjects(["intaken_nets:told", "other_nets:nameless"])
    sized = Asked("intaken_nets:told", "photos", size=12, device="cpu")
    both = sized.subjects(["intaken_nets:told", "other_nets:nameless"])
    assert both[0].split is both[1].split and both[1].split.classes[0] == "tabby"
    message = "'intaken_nets:told' and 'other_nets:told' call their classes differently; ask about each alone, "
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}or give --classes for both$"):
        sized.subjects(["intaken_nets:told", "other_nets:told"])


def test_training_parts_of_an_undivided_folder_are_those_of_a_training() -> None:
    for name in ("tabby", "1", "Space_Shuttle"):
        for number in range(6):
            Image.new("RGB", (12, 12), (40 * number, 9, 9)).save(f"photos/{name}/{number}.png")
    for part in ("train", "validation"):
        told = Asked("intaken_nets:told", "photos", split=part, device="cpu").subject().split
        silent = Asked("intaken_nets:nameless", "photos", split=part, device="cpu").subject().split
        (batch,), (other,) = (some.batches([torch.arange(len(some))]) for some in (told, silent))
        assert len(told) == len(silent) > 0 and torch.equal(batch.x, other.x)
    whole = Asked("intaken_nets:told", "photos", device="cpu").subject().split
    assert len(whole) == 21


def test_a_listed_network_is_made_for_the_names() -> None:
    Path("names.txt").write_text("a\nb\n")
    words = ("explain", "mlp", "flat", "--shape", "3,4,4", "--classes", "names.txt")
    assert classes_of(*words) <= {"a", "b"}
    with pytest.raises(DataError, match=r"^'photos' has classes that the network does not know"):
        Asked("mlp", "photos", classes="names.txt", size=8, device="cpu").subject()

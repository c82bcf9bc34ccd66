"""Folders of images for a network that knows its classes by name."""

import re
from pathlib import Path

import pytest
from PIL import Image

from pellucid import Intake
from pellucid.class_names import class_names
from pellucid.data import Data, TensorSplit, load, load_for, load_unlabeled, read_map, relabeled_for
from pellucid.errors import DataError, ShapeError

IMAGENET = Intake((3, 8, 8), classes=class_names("imagenet"))
PETS = Intake((3, 8, 8), classes=("cat, n1", "dog", "Dog"))


def put(*names: str, size: tuple[int, int] = (12, 9)) -> Path:
    for number, name in enumerate(names):
        path = Path("images") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", size, (20 * number, 0, 0)).save(path)
    return Path("images")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_labels_are_outputs_and_one_image_of_a_class_will_do() -> None:
    folder = put("tabby/a.png", "n01440764/a.png", "698/a.png", "Egyptian_Cat/a.png", "Egyptian_Cat/b.png")
    parts = load_for(folder, IMAGENET)
    assert set(parts) == {"all"} and len(parts["all"].classes) == 1000
    assert parts["all"].labels.tolist() == [698, 285, 285, 0, 281] and parts["all"].shape == (3, 8, 8)
    assert parts["all"].classes[698] == "palace"


def test_two_folders_may_be_one_class() -> None:
    assert load_for(put("tabby/a.png", "281/a.png"), IMAGENET)["all"].labels.tolist() == [281, 281]


@pytest.mark.parametrize(
    ("part", "called"), [("test", "test"), ("val", "validation"), ("valid", "validation"), ("train", "train")]
)
def test_a_single_part_will_do(part: str, called: str) -> None:
    parts = load_for(put(f"{part}/cat/a.png"), PETS)
    assert set(parts) == {called} and parts[called].labels.tolist() == [0]


def test_parts_need_not_have_the_same_classes() -> None:
    parts = load_for(put("train/cat/a.png", "val/dog/b.png", "val/cat/b.png"), PETS)
    assert parts["train"].labels.tolist() == [0] and parts["validation"].labels.tolist() == [0, 1]


def test_where_nobody_knows_classes_the_folders_are_some() -> None:
    (part,) = load_for(put("test/x/a.png", "test/y/a.png"), Intake((3, 8, 8))).values()
    assert part.classes == ("x", "y") and part.labels.tolist() == [0, 1]


def test_a_map_says_what_other_folders_are() -> None:
    Path("map.csv").write_text('kitty,cat\n"a, b",1\njunk,\n\n')
    mapping = read_map("map.csv")
    assert mapping == {"kitty": "cat", "a, b": "1", "junk": ""}
    folder = put("kitty/a.png", "a, b/a.png", "junk/a.png", "dog/a.png")
    assert load_for(folder, PETS, mapping)["all"].labels.tolist() == [1, 1, 0]


@pytest.mark.parametrize(
    ("names", "mapping", "message"),
    [
        (
            ("00/a.png", "x/a.png"),
            {},
            "'images' has classes that the network does not know by name or number: 00, x; "
            "rename them, or give --map FILE with a line for each: folder,class",
        ),
        (
            [f"x{number}/a.png" for number in range(7)],
            {},
            "'images' has classes that the network does not know by name or number: x0, x1, x2, x3, x4 and 2 more; "
            "rename them, or give --map FILE with a line for each: folder,class",
        ),
        (
            ("x/a.png",),
            {"x": "cow"},
            "'images' has classes that the network does not know by name or number: x (mapped to cow); "
            "rename them, or give --map FILE with a line for each: folder,class",
        ),
        (
            ("DOG/a.png",),
            {},
            "'DOG' of 'images' may be 'dog' or 'Dog'; say which by --map FILE, a line DOG,CLASS",
        ),
        (
            ("cat/a.png",),
            {"../x": "cat"},
            "'images' has no class '../x', which the map of classes names; leave it out",
        ),
        (
            ("cat/a.txt",),
            {},
            "'images' has no images in class folders; put them into 'images/<class>/'",
        ),
    ],
)
def test_folders_that_are_no_classes(names: list[str], mapping: dict[str, str], message: str) -> None:
    put(*(name for name in names if name.endswith(".png")))
    for name in names:
        (Path("images") / name).parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load_for(Path("images"), PETS, mapping)


def test_a_map_without_classes_means_nothing() -> None:
    message = "nobody says what the classes of the network are called; give --classes along with --map"
    with pytest.raises(DataError, match=f"^{message}$"):
        load_for(put("x/a.png"), Intake((3, 8, 8)), {"x": "0"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "'m.csv' is no text of lines with commas; write a line for each folder: folder,class"),
        (b"cat\n", "line 1 of 'm.csv' has no folder and class; write a line for each folder: folder,class"),
        (b"a,b\n,cat\n", "line 2 of 'm.csv' has no folder and class; write a line for each folder: folder,class"),
        (b"a,cat\na,dog\n", "'m.csv' says twice what the folder 'a' stands for; leave one line"),
        (
            b"a" * 200_000 + b",cat",
            "'m.csv' is no text of lines with commas; write a line for each folder: folder,class",
        ),
        (
            b"".join(b"%d,0\n" % number for number in range(2**16 + 1)),
            "'m.csv' names more than 65536 folders; there may be no more",
        ),
    ],
)
def test_files_that_are_no_maps(content: bytes, message: str) -> None:
    Path("m.csv").write_bytes(content)
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read_map("m.csv")


def test_a_map_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"^there is no file 'm\.csv'; write a line for each folder: folder,class$"):
        read_map("m.csv")


def test_a_broken_image_is_left_out_where_somebody_says_so() -> None:
    folder = put("cat/a.png", "dog/a.png")
    (folder / "dog" / "b.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"dog/b\.png"):
        load_for(folder, PETS)
    assert len(load_for(folder, PETS, skip_bad=True)["all"]) == 2


def test_a_size_overrides_what_the_network_says() -> None:
    assert load_for(put("cat/a.png"), PETS, size=5)["all"].shape == (3, 5, 5)


def test_how_images_are_scaled_is_part_of_what_identifies_them() -> None:
    folder = put("cat/a.png")
    prints = {
        load_for(folder, Intake((3, 8, 8), crop=crop, interpolation=way, classes=PETS.classes))["all"].fingerprint()
        for crop in (1.0, 0.5)
        for way in ("bilinear", "bicubic")
    }
    assert len(prints) == 4


def test_channels_that_no_image_file_has() -> None:
    message = "the network takes images of 4 channels, which no image file has; give a .npz file"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        load_for(put("cat/a.png"), Intake((4, 8, 8), classes=PETS.classes))


def test_gray_pictures_for_a_network_of_colors() -> None:
    Image.new("L", (9, 9), 90).save("one.png")
    assert load_unlabeled(Path("one.png"), PETS).shape == (3, 8, 8)
    assert load_unlabeled(Path("one.png")).shape == (1, 9, 9)


def data(classes: tuple[str, ...]) -> Data:
    import torch

    split = TensorSplit(torch.zeros(3, 1, 2, 2), torch.tensor([0, 1, 0]), classes)
    return Data("mine", split, split, whole=split)


def test_data_of_other_kinds_are_matched_by_name() -> None:
    found = relabeled_for(data(("DOG", "Cat")), Intake(classes=("cat", "dog")))
    assert found.test.labels.tolist() == [1, 0, 1] and found.test.classes == ("cat", "dog")
    assert found.whole is not None and found.whole.labels.tolist() == [1, 0, 1]
    by_number = relabeled_for(data(("0", "1")), Intake(classes=("cat", "dog")))
    assert by_number.test.labels.tolist() == [0, 1, 0] and by_number.test.classes == ("cat", "dog")
    # two numbers are not the first two of three classes
    assert relabeled_for(data(("0", "1")), Intake(classes=("a", "b", "c"))).test.classes == ("0", "1")
    with pytest.raises(DataError, match=r"^the class 'ox' of 'mine' cannot be left out; say what it stands for$"):
        relabeled_for(data(("ox", "cat")), Intake(classes=("cat", "dog")), {"ox": ""})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        (
            "val",
            "'images' has images to test with alone, and networks learn from others; "
            "put those into 'images/train/<class>/'",
        ),
        (
            "train",
            "'images' has images to learn from alone; add 'images/test/<class>/', "
            "or put the class folders into 'images' itself",
        ),
    ],
)
def test_training_needs_what_is_not_there(part: str, message: str) -> None:
    put(f"{part}/cat/a.png", f"{part}/dog/a.png")
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        load("images")

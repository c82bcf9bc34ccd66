"""Some class folders of many."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch

from pellucid import limits
from pellucid.class_names import class_names
from pellucid.data import Decoding, StreamedSplit, load, read_folders, sequential
from pellucid.errors import ConfigError, DataError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]
Save = Callable[..., Path]

AS = "write the name of a class folder a line"
HERE = Decoding(workers=0)


@pytest.fixture
def four(save: Save, tmp_path: Path) -> Path:
    """Four classes in folders for training and testing."""
    for part, count in (("train", 3), ("test", 2)):
        for name in ("ant", "bee", "cat", "dog"):
            for number in range(count):
                save(f"{part}/{name}/{number}.png")
    return tmp_path / "images"


def test_some_folders_are_read_as_though_there_were_no_others(four: Path, tmp_path: Path) -> None:
    some = load(four, decoding=HERE, only=("dog", "bee"))
    whole = load(four, decoding=HERE)
    assert some.train.classes == some.test.classes == ("bee", "dog")
    assert (some.train.labels.tolist(), some.test.labels.tolist()) == ([0] * 3 + [1] * 3, [0] * 2 + [1] * 2)
    rows = (whole.train.labels % 2 == 1).nonzero()[:, 0]
    one, other = (next(iter(split.batches(sequential(split, 99)))) for split in (some.train, whole.train.take(rows)))
    assert torch.equal(one.x, other.x)
    everything = load(four, decoding=HERE, only=("dog", "cat", "bee", "ant"))
    assert everything.train.fingerprint() == whole.train.fingerprint() != some.train.fingerprint()
    streamed = load(four, decoding=Decoding(0, 0), only=("dog", "bee")).train
    assert isinstance(streamed, StreamedSplit) and streamed.fingerprint() == some.train.fingerprint()


def test_what_is_not_wanted_is_not_even_looked_at(four: Path, save: Save) -> None:
    (four / "train" / "ant" / "0.png").write_bytes(b"broken")
    (four / "train" / "eel").mkdir()
    assert len(load(four, decoding=HERE, only=("bee", "cat")).train) == 6
    with pytest.raises(DataError):
        load(four, decoding=HERE)


def test_undivided_folders_are_chosen_from_too(photos: Path, save: Save) -> None:
    for number in range(5):
        save(f"eel/{number}.png")
    assert load(photos, decoding=HERE, only=("cat", "dog")).train.classes == ("cat", "dog")


def test_a_folder_that_is_not_there_is_named(four: Path, raises: Raises) -> None:
    message = (
        f"the class folder 'dgo' is asked for, and '{four}/test' has none of that name (did you mean 'dog'?); "
        "add it, or take it off the list"
    )
    with raises(DataError, message):
        load(four, decoding=HERE, only=("bee", "dgo"))
    for path in (four / "test" / "bee").iterdir():
        path.unlink()
    (four / "test" / "bee").rmdir()
    with pytest.raises(DataError, match=re.escape(f"'bee' is asked for, and '{four}/test' has none")):
        load(four, decoding=HERE, only=("bee", "dog"))


def test_what_has_no_folders_has_none_to_choose_from(raises: Raises) -> None:
    with raises(ConfigError, "only chooses among folders of images by class, and 'digits' has none; leave only out"):
        load("digits", only=("0", "1"))


def test_a_list_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "some.txt"
    path.write_bytes(b"\xef\xbb\xbfbee\r\n\r\n# a comment\r\n  big dog \r\n")
    assert read_folders(path) == read_folders(str(path)) == ("bee", "big dog")


def test_the_list_of_joo_2023_has_a_hundred_animals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = read_folders("imagenet100-joo2023")
    known = [name.rpartition(", ")[2] for name in class_names("imagenet")]
    places = [known.index(name) for name in found]
    assert len(set(found)) == 100 and places == sorted(places)
    assert (places[0], places[-1]) == (0, 150)  # a tench, and a sea lion
    monkeypatch.chdir(tmp_path)
    Path("imagenet100-joo2023").write_text("a\nb\n")
    assert read_folders("imagenet100-joo2023") == found and read_folders("./imagenet100-joo2023") == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, f"there is no file 'PATH'; {AS}, or name a list that is there: imagenet100-joo2023"),
        (b"\xff\xfe\x00", f"'PATH' is no text; {AS}"),
        (b"a\nb\na\n", "'PATH' names the folder 'a' in line 1 and in line 3; leave one"),
        (b"# none\n", "'PATH' names 0 folders; a classifier tells 2 or more apart"),
        (b"a\n", "'PATH' names 1 folder; a classifier tells 2 or more apart"),
    ],
)
def test_a_bad_list_is_refused(content: bytes | None, message: str, tmp_path: Path, raises: Raises) -> None:
    path = tmp_path / "some.txt"
    if content is not None:
        path.write_bytes(content)
    with raises(DataError, message.replace("PATH", str(path))):
        read_folders(path)


def test_a_list_without_end_is_refused(tmp_path: Path, raises: Raises) -> None:
    path = tmp_path / "some.txt"
    path.write_text("\n".join(map(str, range(limits.CLASSES + 1))))
    with raises(DataError, f"'{path}' names more than {limits.CLASSES} folders; there may be no more"):
        read_folders(path)
    with path.open("wb") as file:
        file.truncate(2**30)
    with pytest.raises(DataError, match="more than the 64 MiB that it may"):
        read_folders(path)
    with raises(DataError, f"'{tmp_path}' is a folder, no regular file; give a file, or a link to one"):
        read_folders(tmp_path)

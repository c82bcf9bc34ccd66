"""What classes are called: the lists that files hold, and the ways in which a class is found."""

from pathlib import Path

import pytest

from pellucid.class_names import ClassFinder, class_names, shown_names
from pellucid.errors import DataError
from pellucid.limits import CLASSES

IMAGENET = class_names("imagenet")


def test_imagenet_is_in_the_order_of_its_numbers_in_wordnet() -> None:
    numbers = [text.rpartition(", ")[2] for text in IMAGENET]
    assert len(IMAGENET) == 1000 and numbers == sorted(numbers) and len(set(numbers)) == 1000
    assert shown_names(IMAGENET)[281] == "tabby" and numbers[281] == "n02123045"
    assert len(set(shown_names(IMAGENET))) == 1000


@pytest.mark.parametrize("word", ["tabby", "tabby cat", "Tabby_Cat", "n02123045", "281", "TABBY"])
def test_a_class_has_several_names(word: str) -> None:
    assert ClassFinder(IMAGENET).places(word) == (281,)


def test_an_exact_name_comes_before_a_similar_one() -> None:
    finder = ClassFinder(IMAGENET)
    assert [finder.places(word) for word in ("cardigan", "Cardigan", "CARDIGAN")] == [(474,), (264,), (264, 474)]
    assert finder.places("crane") == (134, 517) and finder.places("crane (n03126707)") == (517,)


@pytest.mark.parametrize("word", ["", "00", "-1", "1000", "../x", "٣", "no such thing", "n00000000", "1e1"])
def test_what_is_no_class_is_none(word: str) -> None:
    assert ClassFinder(IMAGENET).places(word) == ()


def test_a_name_that_is_a_number_is_meant_before_the_number() -> None:
    assert ClassFinder(("1", "0")).places("0") == (1,)


WRITTEN: dict[str, tuple[str, str]] = {
    "lines": ("n.txt", "cat\ndog\n"),
    "lines of another system": ("n.txt", "\ufeffcat\r\ndog\r\n"),
    "list": ("n.json", '["cat", "dog"]'),
    "table": ("n.json", '{"1": "dog", "0": "cat"}'),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_files_of_names(name: str, tmp_path: Path) -> None:
    file, content = WRITTEN[name]
    (tmp_path / file).write_text(content, newline="")
    assert class_names(str(tmp_path / file)) == ("cat", "dog")


def test_numbers_in_wordnet_may_stand_first(tmp_path: Path) -> None:
    (tmp_path / "n.txt").write_text("n01440764 tench, Tinca tinca\nn01443537 goldfish")
    (tmp_path / "n.json").write_text('{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}')
    assert class_names(str(tmp_path / "n.txt"))[0] == "tench, Tinca tinca, n01440764"
    assert class_names(str(tmp_path / "n.json"))[0] == "tench, n01440764"


def test_a_name_that_several_have_is_shown_with_a_number() -> None:
    assert shown_names(("crane", "ox", "crane")) == ("crane (0)", "ox", "crane (2)")


AS = 'write a name a line, or as JSON a list of names or {"0": "cat", "1": "dog"}'
UNSHOWN = "give a line of 1,000 letters at most, without signs that are not shown"
WRONG: dict[str, tuple[str, bytes, str]] = {
    "binary": ("n.txt", b"\xff\xfe\x00cat", f"'PATH' is no text; {AS}"),
    "empty": ("n.txt", b"\n \n", f"'PATH' names 0 classes; there may be from 2 to {CLASSES:,} of them"),
    "one": ("n.txt", b"cat", f"'PATH' names 1 class; there may be from 2 to {CLASSES:,} of them"),
    "a gap": ("n.txt", b"cat\n\ndog", f"'PATH' has no name for the class 1; {UNSHOWN}"),
    "signs": ("n.txt", b"cat\n\x1b[2Jdog", f"'PATH' has no name for the class 1; {UNSHOWN}"),
    "a line of another kind": (
        "n.txt",
        "cat\ndog\u2028ox".encode(),
        f"'PATH' has no name for the class 1; {UNSHOWN}",
    ),
    "endless": ("n.txt", b"cat\n" + b"o" * 1001, f"'PATH' has no name for the class 1; {UNSHOWN}"),
    "many": (
        "n.txt",
        b"cat\n" * (CLASSES + 1),
        f"'PATH' names {CLASSES + 1} classes; there may be from 2 to {CLASSES:,} of them",
    ),
    "no JSON": ("n.json", b"cat", f"'PATH' is no JSON; {AS}"),
    "deep": ("n.json", b"[" * 100_000, f"'PATH' is no JSON; {AS}"),
    "a number": ("n.json", b"3", f"'PATH' is neither a list nor a table of names; {AS}"),
    "numbers": ("n.json", b"[3, 4]", f"'PATH' has no name for the class 0; {UNSHOWN}"),
    "a billion": (
        "n.json",
        b'{"0": "cat", "1000000000": "dog"}',
        f"'PATH' does not count its classes from 0 to 1; {AS}",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_without_names(name: str, tmp_path: Path) -> None:
    file, content, message = WRONG[name]
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError) as found:
        class_names(str(tmp_path / file))
    assert str(found.value) == message.replace("PATH", str(tmp_path / file))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(
        DataError, match=r"^there is no file 'x\.txt' with names of classes; give one, or 'imagenet'$"
    ):
        class_names("x.txt")


def test_a_file_of_more_than_may_be_read(tmp_path: Path) -> None:
    with (tmp_path / "n.txt").open("wb") as file:
        file.truncate(2**27)
    with pytest.raises(DataError, match="stands for 128 MiB, more than the 64 MiB that it may"):
        class_names(str(tmp_path / "n.txt"))

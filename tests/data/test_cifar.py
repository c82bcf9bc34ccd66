import os
import pickle
import pickletools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from numpy.typing import NDArray

from pellucid.data import Flip, PadCrop, Split, load, sequential
from pellucid.data.pickles import read_pickle
from pellucid.errors import DataError, LabelError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]
Batches = Mapping[str, tuple[NDArray[numpy.uint8], list[int]]]
Pack = Callable[[Mapping[str, bytes], Path], Path]


def binary(batches: Batches) -> dict[str, bytes]:
    return {
        f"{name}.bin": b"".join(bytes([label]) + row.tobytes() for row, label in zip(data, labels, strict=True))
        for name, (data, labels) in batches.items()
    }


def check(split: Split, *batches: tuple[NDArray[numpy.uint8], list[int]]) -> None:
    (batch,) = split.batches(sequential(split, 99))
    expected = torch.from_numpy(numpy.concatenate([data for data, _ in batches])).reshape(-1, 3, 32, 32)
    assert torch.equal((batch.x * 255).round().to(torch.uint8), expected)
    assert batch.y.tolist() == [label for _, labels in batches for label in labels]


def check_ten(path: Path | str, batches: Batches, **options: Any) -> tuple[str, ...]:
    data = load(path, **options)
    check(data.train, *(batches[f"data_batch_{number}"] for number in range(1, 6)))
    check(data.test, batches["test_batch"])
    assert data.augment == (PadCrop(4), Flip())
    return data.train.classes


@pytest.mark.parametrize("ending", ["tar.gz", "tar.xz"])
def test_archives(batches: Batches, pickled: dict[str, bytes], pack: Pack, tmp_path: Path, ending: str):
    path = pack(pickled, tmp_path / f"any name.{ending}")
    assert check_ten(path, batches) == tuple(f"class{number}" for number in range(10))
    assert [item.name for item in tmp_path.iterdir()] == [path.name]
    path = pack(binary(batches) | {"batches.meta.txt": b"\n".join(b"abcdefghij"[i : i + 1] for i in range(10))}, path)
    assert check_ten(path, batches) == tuple("abcdefghij")


@pytest.mark.parametrize("below", [".", "cifar-10-batches-py", "cifar-10-batches-bin"])
def test_folders_without_class_names(batches: Batches, pickled: dict[str, bytes], tmp_path: Path, below: str):
    (tmp_path / below).mkdir(exist_ok=True)
    for name, content in (binary(batches) if below.endswith("bin") else pickled).items():
        if name != "batches.meta":
            (tmp_path / below / name).write_bytes(content)
    assert check_ten(tmp_path, batches)[:3] == ("airplane", "automobile", "bird")


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-binary.tar.xz"])
def test_a_cache(batches: Batches, pickled: dict[str, bytes], pack: Pack, tmp_path: Path, name: str):
    (tmp_path / "cifar10").mkdir()
    pack(pickled if "python" in name else binary(batches), tmp_path / "cifar10" / name)
    check_ten("cifar10", batches, root=tmp_path)


def test_a_hundred_classes_have_fine_labels(batches: Batches, pack: Pack, tmp_path: Path):
    train, test = batches["data_batch_1"][0], batches["test_batch"][0]
    fine, coarse = [99, 0, 40, 7], [3, 1, 2, 0]
    as_pickles = {
        name: pickle.dumps({"data": data, "fine_labels": fine, "coarse_labels": coarse}, 2)
        for name, data in (("train", train), ("test", test))
    } | {"meta": pickle.dumps({"fine_label_names": [f"fine{number}" for number in range(100)]}, 2)}
    as_records = {
        f"{name}.bin": b"".join(bytes([c, f]) + row.tobytes() for c, f, row in zip(coarse, fine, data, strict=True))
        for name, data in (("train", train), ("test", test))
    } | {"fine_label_names.txt": "\n".join(f"fine{number}" for number in range(100)).encode()}
    for number, files in enumerate((as_pickles, as_records)):
        data = load(pack(files, tmp_path / f"{number}.tar.gz"))
        check(data.train, (train, fine))
        check(data.test, (test, fine))
        assert data.test.classes[40] == "fine40"


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_from_every_protocol(protocol: int):
    array = numpy.arange(12, dtype=numpy.uint8).reshape(3, 4)
    read = read_pickle(pickle.dumps({"data": array, "raw": b"\xff\0"}, protocol), "here")
    assert numpy.array_equal(read["data"], array)
    assert read["raw"] == b"\xff\0"


def test_a_pickle_from_python_2():
    # what `cPickle.dumps({"data": numpy.array([[1, 255]], "uint8"), "labels": [6]}, 2)` gave, opcode by opcode
    content = (
        b"\x80\x02}(U\x04datacnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\x01b\x87R"
        b"(K\x01K\x01K\x02\x86cnumpy\ndtype\nU\x02u1K\0K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
        b"\x89U\x02\x01\xfftbU\x06labels]K\x06au."
    )
    assert len(list(pickletools.genops(content))) > 30
    read = read_pickle(content, "here")
    assert read["labels"] == [6]
    assert read["data"].dtype == numpy.uint8
    assert read["data"].tolist() == [[1, 255]]


class Wicked:
    def __init__(self, call: Callable[..., Any], *words: Any) -> None:
        self.recipe = call, words

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self.recipe


def test_a_pickle_that_wants_code(pickled: dict[str, bytes], pack: Pack, tmp_path: Path, raises: Raises):
    proof = tmp_path / "was here"
    pickled["test_batch"] = pickle.dumps({"data": Wicked(os.mkdir, str(proof)), "labels": []}, 2)
    path = pack(pickled, tmp_path / "c.tar.gz")
    with raises(
        DataError,
        f"'test_batch' in '{path}' wants to run 'posix.mkdir', which no array needs; "
        "it was not run: fetch the file from a source that you trust",
    ):
        load(path)
    assert not proof.exists()


@pytest.mark.parametrize("call", [(eval, "1"), (__import__, "os"), (numpy.load, "x"), (getattr, "x", "upper")])
def test_pickles_that_want_more(call: tuple[Any, ...]):
    with pytest.raises(DataError, match="which no array needs"):
        read_pickle(pickle.dumps(Wicked(*call), 4), "here")


def test_codecs_are_not_for_pickles_to_choose(raises: Raises):
    import codecs

    with raises(DataError, "here is no pickle, or is damaged; fetch it again"):
        read_pickle(pickle.dumps(Wicked(codecs.encode, "x", "utf-16")), "here")


def test_damage(batches: Batches, pickled: dict[str, bytes], pack: Pack, tmp_path: Path, raises: Raises):
    path = tmp_path / "c.tar.gz"

    def spoilt(**files: bytes) -> Path:
        return pack({**pickled, **files}, path)

    whole = spoilt().read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with raises(DataError, f"'{path}' is cut short, or is no tar archive; fetch it again"):
        load(path)
    path.write_bytes(b"<html>not found</html>")
    with raises(DataError, f"'{path}' is cut short, or is no tar archive; fetch it again"):
        load(path)
    with raises(DataError, f"'test_batch' in '{path}' is no pickle, or is damaged; fetch it again"):
        load(spoilt(test_batch=pickled["test_batch"][:-20]))
    with raises(DataError, f"'test_batch' in '{path}' has no 'data' and 'labels'; fetch it again"):
        load(spoilt(test_batch=pickle.dumps([1, 2])))
    with raises(
        DataError,
        f"'test_batch' in '{path}' holds uint8 pixels of shape (4, 3071) and 3 labels; "
        "expected uint8 of shape (n, 3072) and n whole numbers: fetch it again",
    ):
        load(spoilt(test_batch=pickle.dumps({"data": batches["test_batch"][0][:, 1:], "labels": [1, 2, 3]})))
    with raises(LabelError, f"'test_batch' in '{path}' has the label 10 and 10 classes; labels run from 0 to 9"):
        load(spoilt(test_batch=pickle.dumps({"data": batches["test_batch"][0], "labels": [1, 2, 3, 10]})))
    with raises(DataError, f"'batches.meta' in '{path}' has no 'label_names'; fetch it again"):
        load(spoilt(**{"batches.meta": pickle.dumps({})}))
    del pickled["data_batch_2"]
    with raises(DataError, f"'{path}' lacks data_batch_2; fetch it again, whole"):
        load(spoilt())
    records = binary(batches)
    records["data_batch_3.bin"] = records["data_batch_3.bin"][:-5]
    with raises(
        DataError,
        f"'data_batch_3.bin' in '{path}' is cut short: 12287 bytes are no whole number of 3073; fetch it again",
    ):
        load(pack(records, path))
    with raises(DataError, f"'{path}' holds no CIFAR batches; give the archive as it is published, or a folder"):
        load(pack({"cat.png": b""}, path))


@pytest.mark.parametrize("classes", [10, 100])
def test_a_cache_without_the_files(tmp_path: Path, raises: Raises, classes: int):
    with raises(
        DataError,
        f"'{tmp_path}/cifar{classes}' lacks cifar-{classes}-python.tar.gz; "
        "fetch with download=True (--download), or put it there from "
        "https://www.cs.toronto.edu/~kriz/",
    ):
        load(f"cifar{classes}", root=tmp_path)

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch

from pellucid.data import DATA, load, sequential
from pellucid.errors import ConfigError, DataError, UnknownName
from pellucid.registry import describe

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]


def test_the_registry_says_what_there_is():
    assert list(DATA) == ["digits", "mnist", "cifar10", "cifar100", "npz", "folder", "hf"]
    assert all(describe(DATA[name]).endswith(".") for name in DATA)


def test_digits_need_nothing():
    data = load("digits")
    assert (data.name, data.train.shape, data.train.classes) == ("digits", (1, 8, 8), tuple("0123456789"))
    assert (len(data.train), len(data.test), data.validation) == (1438, 359, None)
    assert data.train.labels.bincount().tolist() == [142, 146, 142, 146, 145, 146, 145, 143, 139, 144]
    (batch,) = data.train.batches(sequential(data.train, 2000))
    assert torch.equal((batch.x * 16).round().unique(), torch.arange(17.0))
    assert (batch.x * 16 - (batch.x * 16).round()).abs().max() <= 16 / 255 / 2 + 1e-6


def test_digits_are_divided_for_everyone_alike():
    assert load("digits", split_seed=1).train.fingerprint() == load("digits").train.fingerprint()


def test_a_name_wins_over_a_folder_and_a_path_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raises: Raises
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").mkdir()
    assert load("digits").train.shape == (1, 8, 8)
    for path in ("./digits", Path("digits")):
        with raises(DataError, "'digits' has no images in class folders; put them into 'digits/<class>/'"):
            load(path)


def test_what_there_is_not(tmp_path: Path, raises: Raises):
    with raises(UnknownName, "no dataset is called 'digit' (did you mean 'digits'?), and no such path exists"):
        load("digit")
    with raises(
        UnknownName,
        "no dataset is called '/no/where' (there are: cifar10, cifar100, digits, folder, hf, mnist, npz), "
        "and no such path exists",
    ):
        load("/no/where")
    with raises(DataError, "'/no/where' does not exist; give the path of a file or folder"):
        load(Path("/no/where"))
    (tmp_path / "notes.txt").write_text("")
    with raises(
        DataError,
        f"'{tmp_path}/notes.txt' is no data that can be read; give a .npz file, a CIFAR archive or a folder",
    ):
        load(tmp_path / "notes.txt")
    for kind in ("npz", "folder"):
        with raises(DataError, f"'{kind}' is a kind of data, not a data set; load the path of your own"):
            load(kind)


def test_only_folders_are_scaled(raises: Raises):
    with raises(ConfigError, "size=16 scales folders of images, and 'digits' is none; leave size out"):
        load("digits", size=16)


def test_sizes_are_positive(photos: Path, raises: Raises):
    with raises(ConfigError, "images cannot be scaled to size=0; give 1 pixel or more"):
        load(photos, size=0)

"""Data sets of Hugging Face's datasets from folders that lie here; no connection is made."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from pellucid import Intake
from pellucid.data import Decoding, StreamedSplit, TensorSplit, hugging_face_parts, load, sequential
from pellucid.data.hugging_face import Rows
from pellucid.errors import DataError, UnknownName
from pellucid.subjects import Asked

datasets: Any = pytest.importorskip("datasets", reason="data sets of Hugging Face take the package datasets")

CLASSES = ["sky", "leaf, green leaf", "rose"]


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()


def file_of(shade: int, size: tuple[int, int] = (10, 8), kind: str = "PNG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, (shade, 40, 200)).save(written, kind)
    return written.getvalue()


def table(count: int, *, files: Sequence[Any] | None = None, labels: Sequence[Any] | None = None, kind: Any = None):
    content = files or [{"bytes": file_of(3 * number), "path": None} for number in range(count)]
    values = [number % 3 for number in range(count)] if labels is None else labels
    kind = kind or datasets.ClassLabel(names=CLASSES)
    features = datasets.Features({"image": datasets.Image(), "label": kind})
    return datasets.Dataset.from_dict({"image": content, "label": values}, features=features)


def saved(folder: Path, **parts: Any) -> str:
    datasets.DatasetDict(parts).save_to_disk(str(folder))
    return f"hf:{folder}"


def test_a_folder_that_was_saved_is_read_as_it_is(tmp_path: Path) -> None:
    source = saved(tmp_path / "mine", train=table(12), test=table(5))
    found = load(source)
    assert found.name == "mine" and (len(found.train), len(found.test)) == (12, 5)
    assert found.train.classes == tuple(CLASSES) and found.train.shape == (3, 8, 10)
    (batch,) = found.test.batches(sequential(found.test, 5))
    assert batch.y.tolist() == [0, 1, 2, 0, 1]
    shades = torch.tensor([0, 3, 6, 9, 12]) / 255
    torch.testing.assert_close(batch.x[:, 0, 0, 0], shades)
    assert load(source).train.fingerprint() == found.train.fingerprint()


def test_parquet_files_in_a_folder_are_read(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    table(6).to_parquet(str(tmp_path / "here" / "train-00000.parquet"))
    found = hugging_face_parts(f"hf:{tmp_path / 'here'}", Intake())
    assert set(found) == {"train"} and len(found["train"]) == 6


def test_what_is_streamed_is_what_is_held(tmp_path: Path) -> None:
    source = saved(tmp_path / "mine", train=table(9), test=table(5))
    held = hugging_face_parts(source, Intake())["train"]
    streamed = hugging_face_parts(source, Intake(), decoding=Decoding(memory=0, workers=0))["train"]
    assert isinstance(held, TensorSplit) and isinstance(streamed, StreamedSplit)
    for one, other in zip(held.batches(sequential(held, 4)), streamed.batches(sequential(streamed, 4)), strict=True):
        assert torch.equal(one.x, other.x) and torch.equal(one.y, other.y)
    others = [{"bytes": file_of(200 - number), "path": None} for number in range(9)]
    elsewhere = saved(tmp_path / "other", train=table(9, files=others), test=table(5))
    again = hugging_face_parts(elsewhere, Intake(), decoding=Decoding(memory=0, workers=0))["train"]
    assert again.fingerprint() != streamed.fingerprint()


def test_one_part_is_divided_for_training_and_whole_for_a_look(tmp_path: Path) -> None:
    source = saved(tmp_path / "mine", train=table(60))
    found = load(source)
    assert found.whole is not None and len(found.whole) == 60
    assert len(found.train) + len(found.test) + len(found.validation or ()) == 60
    alone = saved(tmp_path / "alone", test=table(9))
    assert set(hugging_face_parts(alone, Intake())) == {"test"}
    with pytest.raises(DataError, match="no part to train on, only test; give one that has train"):
        load(alone)


def test_words_and_numbers_are_classes_over_all_parts(tmp_path: Path) -> None:
    words = datasets.Value("string")
    train = table(4, labels=["b", "a", "b", "a"], kind=words)
    source = saved(tmp_path / "words", train=train, test=table(3, labels=["c", "a", "c"], kind=words))
    assert hugging_face_parts(source, Intake())["test"].classes == ("a", "b", "c")
    numbers = datasets.Value("int64")
    found = hugging_face_parts(saved(tmp_path / "n", test=table(3, labels=[10, 9, 10], kind=numbers)), Intake())
    assert found["test"].classes == ("9", "10")


@pytest.mark.parametrize("memory", [0, 2**30])
def test_a_network_that_knows_its_classes_and_images_looks_at_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int
) -> None:
    (tmp_path / "petals.py").write_text(
        "import torch\nfrom torch import nn\nfrom pellucid import Intake, with_intake\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 6, 4))\n"
        "    return with_intake(net, Intake((3, 6, 6), classes=('rose', 'green leaf', 'moss', 'sky')))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    source = saved(tmp_path / "mine", test=table(6))
    subject = Asked("petals:build", source).subject()
    assert subject.split.classes == ("rose", "green leaf", "moss", "sky") and subject.split.shape == (3, 6, 6)
    (batch,) = subject.split.batches(sequential(subject.split, 6))
    assert batch.y.tolist() == [3, 1, 0, 3, 1, 0]


def test_damaged_rows_are_named_or_left_out(tmp_path: Path) -> None:
    files = [
        {"bytes": file_of(3), "path": None},
        {"bytes": b"no image", "path": None},
        *[{"bytes": file_of(9), "path": None}] * 4,
    ]
    source = saved(tmp_path / "mine", test=table(6, files=files))
    with pytest.raises(DataError, match=r"cannot read 'row 1' in '.*mine'"):
        hugging_face_parts(source, Intake())
    found = hugging_face_parts(source, Intake(), skip_bad=True)["test"]
    assert len(found) == 5 and found.take(5).batches(sequential(found, 5))


def test_a_row_may_name_no_file_elsewhere(tmp_path: Path) -> None:
    home = tmp_path / "mine"
    home.mkdir()
    for place in (tmp_path / "secret.png", home / "own.png"):
        place.write_bytes(file_of(7))
    files = [{"bytes": None, "path": str(place)} for place in (tmp_path / "secret.png", home / "own.png")]
    undecoded = table(2, files=files).cast_column("image", datasets.Image(decode=False))
    rows = Rows(undecoded, "image", home, (3, 8, 10), Intake())
    with pytest.raises(DataError, match="row 0 of '.*mine' has no image in it; leave it out"):
        rows.decode(0)
    assert rows.decode(1)[0, 0, 0] == 7


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="names no data set"):
        load("hf:")
    with pytest.raises(DataError, match="is no folder"):
        load(f"hf:{tmp_path / 'nowhere'}")
    unlabeled = saved(tmp_path / "none", test=table(3, labels=[-1, -1, -1]))
    with pytest.raises(DataError, match="nobody has labeled"):
        load(unlabeled)
    two = datasets.Dataset.from_dict({"a": [1], "b": ["x"]})
    with pytest.raises(DataError, match=r"has 0 columns of images \(a, b\)"):
        load(saved(tmp_path / "two", train=two))
    several = (
        table(6).add_column("coarse", [0, 1, 0, 1, 0, 1]).cast_column("coarse", datasets.ClassLabel(names=["a", "b"]))
    )
    source = saved(tmp_path / "several", train=several)
    with pytest.raises(DataError, match=r"several columns of labels: label, coarse; name one"):
        load(source)
    assert hugging_face_parts(f"{source}:coarse", Intake())["train"].classes == ("a", "b")
    with pytest.raises(UnknownName, match="has no column 'corse'.*coarse"):
        load(f"{source}:corse")

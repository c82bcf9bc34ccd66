import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

from pellucid.data import Data, Decoding, Split, StreamedSplit, TensorSplit, load, sequential
from pellucid.errors import DataError, ShapeError

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]
Save = Callable[..., Path]


def read(folder: Path, **options: Any) -> Data:
    decoding = Decoding(options.pop("memory", 2**30), options.pop("workers", 0))
    return load(folder, decoding=decoding, **options)


def pixels(split: Split) -> torch.Tensor:
    (batch,) = split.batches(sequential(split, 999))
    return (batch.x * 255).round().to(torch.uint8)


@pytest.fixture
def three(save: Save, tmp_path: Path) -> Path:
    """Folders for training, testing and validation."""
    for part, count in (("train", 4), ("test", 2), ("val", 3)):
        for name in ("cat", "dog"):
            for number in range(count):
                save(f"{part}/{name}/{number}.png")
    return tmp_path / "images"


def test_class_folders_alone_are_divided(photos: Path):
    data = read(photos)
    assert data.validation is not None
    assert (data.name, data.train.classes, data.train.shape) == ("images", ("cat", "dog"), (3, 6, 8))
    splits = (data.train, data.test, data.validation)
    assert [split.labels.bincount().tolist() for split in splits] == [[7, 7], [2, 2], [1, 1]]
    together = torch.cat([pixels(split) for split in splits])
    assert len(together.unique(dim=0)) == 20
    again, other = read(photos), read(photos, split_seed=1)
    assert data.test.fingerprint() == again.test.fingerprint() != other.test.fingerprint()


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_divided_folders_are_taken_as_they_are(three: Path, name: str):
    (three / "val").rename(three / name)
    data = read(three)
    assert data.validation is not None
    assert (len(data.train), len(data.test), len(data.validation)) == (8, 4, 6)
    assert data.train.labels.tolist() == [0] * 4 + [1] * 4
    expected = numpy.array(Image.open(three / "train" / "dog" / "1.png"))
    assert torch.equal(pixels(data.train)[5], torch.from_numpy(expected).permute(2, 0, 1))


def test_validation_stands_in_for_a_missing_test(three: Path):
    shutil.rmtree(three / "test")
    data = read(three)
    assert (len(data.test), data.validation) == (6, None)


def test_a_class_may_be_called_train(save: Save, tmp_path: Path):
    for name in ("train", "ship"):
        for number in range(4):
            save(f"{name}/{number}.png")
    assert read(tmp_path / "images").train.classes == ("ship", "train")


def test_hidden_and_other_files_are_passed_over(photos: Path, save: Save):
    before = read(photos).train.fingerprint()
    save(".cache/0.png")
    save("cat/.0.png")
    (photos / "cat" / "notes.txt").write_text("a cat")
    (photos / "labels.csv").write_text("")
    assert read(photos).train.fingerprint() == before


@pytest.mark.parametrize("ending", ["jpg", "JPEG", "png", "bmp", "gif", "webp", "tif", "TIFF"])
def test_every_kind_of_file(save: Save, tmp_path: Path, ending: str):
    for number in range(3):
        save(f"cat/{number}.{ending}")
    assert read(tmp_path / "images").train.shape == (3, 6, 8)


def test_all_gray_is_one_channel_and_one_color_makes_three(save: Save, tmp_path: Path):
    for part in ("train", "test"):
        save(f"{part}/cat/0.png", "L")
    data = read(tmp_path / "images")
    expected = torch.from_numpy(numpy.array(Image.open(tmp_path / "images" / "train" / "cat" / "0.png")))
    assert torch.equal(pixels(data.train), expected[None, None])
    save("test/cat/1.png")
    data = read(tmp_path / "images")
    assert torch.equal(pixels(data.train), expected.expand(1, 3, -1, -1))
    assert data.test.shape == (3, 6, 8)


def one(folder: Path, image: Image.Image, name: str = "0.png", **options: Any) -> torch.Tensor:
    """How an image looks once it was saved and loaded."""
    for part in ("train", "test"):
        path = folder / "one" / part / "cat" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path, **options)
    return pixels(read(folder / "one").train)[0]


def noise(*shape: int) -> numpy.ndarray[Any, Any]:
    return numpy.random.default_rng(0).integers(0, 256, shape, dtype=numpy.uint8)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_obeyed(tmp_path: Path, orientation: int):
    upright = torch.from_numpy(noise(6, 8, 3)).permute(2, 0, 1)
    stored = {
        1: upright,
        2: upright.flip(2),
        3: upright.flip(1, 2),
        4: upright.flip(1),
        5: upright.transpose(1, 2),
        6: upright.transpose(1, 2).flip(1),
        7: upright.transpose(1, 2).flip(1, 2),
        8: upright.transpose(1, 2).flip(2),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(stored.permute(1, 2, 0).contiguous().numpy())
    assert torch.equal(one(tmp_path, image, exif=exif), upright)


def test_transparency_lies_over_black(tmp_path: Path):
    rgba = noise(6, 8, 4)
    rgba[..., 3] = numpy.arange(8) * 36
    found = one(tmp_path, Image.fromarray(rgba))
    expected = torch.from_numpy(rgba[..., :3] * (rgba[..., 3:] / 255)).permute(2, 0, 1)
    assert (found - expected).abs().max() <= 1
    assert found[:, :, 0].max() == 0


def test_transparent_gray_stays_gray(tmp_path: Path):
    found = one(tmp_path, Image.merge("LA", [Image.new("L", (4, 4), 200), Image.new("L", (4, 4), 0)]))
    assert torch.equal(found, torch.zeros(1, 4, 4, dtype=torch.uint8))


def test_an_animation_gives_its_first_frame(tmp_path: Path):
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    found = one(tmp_path, frames[0], "0.gif", save_all=True, append_images=frames[1:])
    assert found[:, 0, 0].tolist() == [255, 0, 0]


def test_other_sizes_are_scaled_and_cropped_at_the_center(tmp_path: Path):
    wide, tall = Image.fromarray(noise(10, 40, 3)), Image.fromarray(noise(40, 20, 3))
    for part in ("train", "test"):
        (tmp_path / part / "cat").mkdir(parents=True)
        wide.save(tmp_path / part / "cat" / "1.png")
        tall.save(tmp_path / part / "cat" / "2.png")
    bilinear = Image.Resampling.BILINEAR
    expected = [wide.resize((16, 4), bilinear).crop((6, 0, 10, 4)), tall.resize((4, 8), bilinear).crop((0, 2, 4, 6))]
    found = pixels(read(tmp_path, size=4).train).permute(0, 2, 3, 1)
    difference = found.int() - torch.from_numpy(numpy.stack([numpy.array(image) for image in expected])).int()
    assert difference.abs().max() <= 1


def test_bad_files_can_be_left_out(photos: Path):
    whole = (photos / "cat" / "0.png").read_bytes()
    (photos / "cat" / "3.png").write_bytes(whole[:-60])
    (photos / "dog" / "4.png").write_bytes(b"no image")
    data = read(photos, skip_bad=True)
    assert data.skipped == ("cat/3.png", "dog/4.png")
    assert data.validation is not None
    assert len(data.train) + len(data.test) + len(data.validation) == 18
    assert data.train.fingerprint() == read(photos, skip_bad=True, workers=2, memory=0).train.fingerprint()


def test_bad_files_are_named(photos: Path, raises: Raises):
    broken = photos / "dog" / "4.jpg"
    Image.fromarray(noise(6, 8, 3)).save(broken)
    broken.write_bytes(broken.read_bytes()[:-20])
    message = (
        f"cannot read 'dog/4.jpg' in '{photos}': it is no image or is cut short; "
        "replace it, or leave it out with skip_bad=True (--skip-bad)"
    )
    for workers in (0, 1):
        with raises(DataError, message):
            read(photos, workers=workers)
        data = read(photos, workers=workers, memory=0)
        with raises(DataError, message):
            for split in (data.train, data.test, data.validation):
                assert split is not None
                pixels(split)
    broken.write_bytes(b"no image")
    with raises(DataError, message):
        read(photos, memory=0)


def test_deep_images_are_not_cut_to_eight_bits(photos: Path, raises: Raises):
    Image.fromarray(noise(6, 8).astype("uint16") * 250).save(photos / "cat" / "2.png")
    with raises(
        DataError, f"'cat/2.png' in '{photos}' has more than 8 bits per channel (mode I;16); convert it to 8"
    ):
        read(photos)


def test_sizes_that_differ(photos: Path, save: Save, raises: Raises):
    save("cat/4.png", size=(9, 7))
    with raises(
        ShapeError,
        f"images in '{photos}' differ in size: 'cat/0.png' is 6x8 and 'cat/4.png' is 7x9; "
        "scale and crop them to squares with size= (--set data.size=)",
    ):
        read(photos)


def test_folders_that_cannot_be_data(three: Path, tmp_path: Path, raises: Raises):
    (three / "train" / "ape").mkdir()
    with raises(
        DataError,
        f"'{three}/test' has the class folders cat, dog and '{three}/train' has ape, cat, dog; make them the same",
    ):
        read(three)
    (three / "test" / "ape").mkdir()
    (three / "val" / "ape").mkdir()
    with raises(
        DataError,
        f"the class folder '{three}/test/ape' has no readable images; add some, or remove the folder",
    ):
        read(three)
    for part in ("train", "test"):
        shutil.copy(three / "train" / "cat" / "0.png", three / part / "ape")
    with raises(
        DataError,
        f"the class folder '{three}/val/ape' has no readable images; add some, or remove the folder",
    ):
        read(three)
    (three / "test" / "ape" / "small").mkdir()
    with raises(DataError, f"'{three}/test/ape' is a class and has the folder 'small' in it; move its images up"):
        read(three)
    empty = tmp_path / "empty"
    (empty / "cat").mkdir(parents=True)
    with raises(DataError, f"'{empty}' has no images in class folders; put them into '{empty}/<class>/'"):
        read(empty)


def test_classes_too_small_to_divide(photos: Path, save: Save, raises: Raises):
    save("eel/0.png")
    save("eel/1.png")
    with raises(
        DataError,
        f"the class folder '{photos}/eel' has too few images to divide (2); add some until there are 3, "
        "or make train and test folders; to look at a network and train none, take --split all",
    ):
        read(photos)


def test_memory_decides(photos: Path):
    need = 20 * 3 * 6 * 8
    assert isinstance(read(photos, memory=need).train, TensorSplit)
    assert isinstance(read(photos, memory=need - 1).train, StreamedSplit)


def test_progress_is_reported(photos: Path):
    heard: list[tuple[str, int, int]] = []
    load(photos, decoding=Decoding(workers=0), report=lambda name, done, total: heard.append((name, done, total)))
    assert heard[0] == ("looking through images", 20, 20)
    assert ("reading images", 14, 14) in heard

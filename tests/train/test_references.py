import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from chance import strays
from harm import KINDS, harm
from networks import images
from pellucid import data, models
from pellucid.batch import Batch
from pellucid.data import Flip, PadCrop, TensorSplit, holdout
from pellucid.errors import ConfigError, Damaged, DataError, NotFinite, ShapeError
from pellucid.explainers import Gradient, SmoothGrad
from pellucid.ledger import Job, Progress, checksums
from pellucid.randomness import Noise
from pellucid.train.references import (
    MapFolder,
    Masks,
    RandomMaps,
    Stored,
    Taught,
    make,
    make_steps,
    permuted,
    thresholded,
)
from pellucid.train.references.making import PartialMaps

DIGITS = data.load("digits").train.take(50)
QUICK = SmoothGrad(samples=3)


def teacher(seed: int = 0) -> nn.Module:
    return models.build("mlp", seed=seed, shape=(1, 8, 8)).eval()


def batch_of(split: data.Split) -> Batch:
    (batch,) = split.batches([torch.arange(len(split))])
    return batch


# making


def test_whoever_keeps_maps_after_all_were_made_leaves_nothing_behind(tmp_path: Path) -> None:
    about = {"shape": [4, 1, 2, 2], "dtype": "float32"}
    slow, fast = (PartialMaps(MapFolder(tmp_path), about, 2) for _ in range(2))
    assert slow.begin() == fast.begin() == 2
    assert slow.claim(0)
    for number in range(2):
        fast.keep(number, torch.full((2, 1, 2, 2), float(number)))
    whole = fast.finish().load()
    slow.keep(0, torch.zeros(2, 1, 2, 2))
    slow.close()
    found = slow.finished()
    assert found is not None and found.load().equal(whole)
    assert {path.name for path in tmp_path.iterdir()} == {"maps.npy", "reference.json", checksums.LEDGER, ".lock"}


def test_maps_are_those_of_the_explainer(tmp_path: Path) -> None:
    for explainer in (Gradient(), QUICK):
        folder = make(teacher(), DIGITS, explainer, tmp_path, seed=3, job=Job(7))
        expected = explainer.on(teacher(), batch_of(DIGITS), seed=3).map
        assert torch.allclose(folder.load(), expected, atol=1e-6)
        stored = np.load(folder.path / "maps.npy", mmap_mode="r")
        assert stored.shape == (50, 1, 8, 8) and stored.dtype == np.float32
        assert re.fullmatch(r"(gradient|smooth)-[0-9a-f]{12}", folder.path.name)
        assert folder.path.name.endswith(folder.fingerprint)


def test_half_precision_keeps_three_digits(tmp_path: Path) -> None:
    whole = make(teacher(), DIGITS, Gradient(), tmp_path)
    half = make(teacher(), DIGITS, Gradient(), tmp_path, dtype="float16")
    assert half.load().dtype == torch.float16
    assert (half.path / "maps.npy").stat().st_size < 0.6 * (whole.path / "maps.npy").stat().st_size
    read = Stored(str(half.path)).maps(DIGITS)
    assert read.dtype == torch.float32
    assert torch.allclose(read, whole.load(), rtol=1e-3, atol=6e-8)


def test_the_folder_is_named_by_all_that_the_maps_depend_on_and_by_nothing_else(tmp_path: Path) -> None:
    made = [
        make(teacher(), DIGITS, QUICK, tmp_path).path,
        make(teacher(1), DIGITS, QUICK, tmp_path).path,
        make(teacher(), DIGITS.take(49), QUICK, tmp_path).path,
        make(teacher(), DIGITS, replace(QUICK, sigma=0.1), tmp_path).path,
        make(teacher(), DIGITS, QUICK, tmp_path, of="predicted").path,
        make(teacher(), DIGITS, QUICK, tmp_path, of=3).path,
        make(teacher(), DIGITS, QUICK, tmp_path, seed=1).path,
        make(teacher(), DIGITS, QUICK, tmp_path, dtype="float16").path,
    ]
    assert len(set(made)) == len(made)
    assert make(teacher().train(), DIGITS, QUICK, tmp_path, job=Job(9)).path == made[0]
    assert make(teacher(), DIGITS, QUICK, tmp_path / "elsewhere").path.name == made[0].name


def test_what_is_complete_is_not_made_again(tmp_path: Path) -> None:
    first = make(teacher(), DIGITS, QUICK, tmp_path)
    written = (first.path / "maps.npy").stat().st_mtime_ns
    seen: list[Progress] = []
    assert make(teacher(), DIGITS, QUICK, tmp_path, job=Job(watch=seen.append)).path == first.path
    assert (first.path / "maps.npy").stat().st_mtime_ns == written
    assert seen == [Progress("maps", 50, 50)]


@pytest.mark.parametrize("stop", range(1, 6))
def test_a_making_that_stopped_anywhere_goes_on_to_the_same_bytes(tmp_path: Path, stop: int) -> None:
    undisturbed = make(teacher(), DIGITS, QUICK, tmp_path / "undisturbed", job=Job(11))
    steps = make_steps(teacher(), DIGITS, QUICK, tmp_path / "stopped", job=Job(11))
    for _ in range(stop):
        next(steps)
    steps.close()
    (folder,) = (tmp_path / "stopped").iterdir()
    message = (
        f"'{folder}' holds no maps: they are not complete; go on with the command that began them; "
        "'pellucid references' makes some and says where they lie"
    )
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        MapFolder.open(folder)
    with (folder / "maps.partial").open("ab") as file:
        file.write(b"half a batch")  # written, and the power went before it was noted
    seen: list[Progress] = []
    # in batches of the size that it began with
    resumed = make(teacher(), DIGITS, QUICK, tmp_path / "stopped", job=Job(50, watch=seen.append))
    assert [mapped.done for mapped in seen] == [11, 22, 33, 44, 50][stop - 1 :]
    assert (resumed.path / "maps.npy").read_bytes() == (undisturbed.path / "maps.npy").read_bytes()
    assert (resumed.path / "reference.json").read_text() == (undisturbed.path / "reference.json").read_text()
    assert {path.name for path in resumed.path.iterdir()} == {"maps.npy", "reference.json", "checksums.txt", ".lock"}


def test_a_kill_between_the_last_two_files_does_no_harm(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path)
    about = json.loads((folder.path / "reference.json").read_text())["about"]
    (folder.path / "reference.json").unlink()
    size = (folder.path / "maps.npy").stat().st_size
    progress = {"about": about, "batch": 32, "done": 50, "bytes": size}
    (folder.path / "progress.json").write_text(json.dumps(progress))
    assert make(teacher(), DIGITS, Gradient(), tmp_path).complete
    assert not (folder.path / "progress.json").exists()
    (folder.path / "progress.json").write_text(json.dumps(progress))  # between reference.json and its removal
    make(teacher(), DIGITS, Gradient(), tmp_path)
    assert not (folder.path / "progress.json").exists()


class Steep(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 1e6 * x.flatten(1)[:, :10]


def test_what_cannot_be_made(tmp_path: Path) -> None:
    message = "maps reach 1e+06, which float16 cannot hold; keep them as float32"
    with pytest.raises(NotFinite, match=f"^{re.escape(message)}$"):
        make(Steep(), DIGITS, Gradient(), tmp_path, dtype="float16")
    with pytest.raises(DataError, match=r"^this split has no images; make maps of one or more$"):
        make(teacher(), DIGITS.take(0), Gradient(), tmp_path)


# attaching


def test_stored_maps_belong_to_the_images_they_were_made_of(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path)
    stored = Stored(str(folder.path))
    assert torch.equal(stored.maps(DIGITS), folder.load())
    assert stored.identified(DIGITS) == replace(stored, fingerprint=folder.fingerprint)
    others = DIGITS.take(20)
    message = (
        f"the maps in '{folder.path}' are of 50 images of 1x8x8 ({DIGITS.fingerprint()[:8]}), "
        f"not of 20 images of 1x8x8 ({others.fingerprint()[:8]}); make some of these images"
    )
    for ask in (stored.maps, stored.identified):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            ask(others)
    message = (
        f"the maps in '{folder.path}' are not those that the settings were made for; "
        "set their fingerprint to '' to train with these"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        replace(stored, fingerprint="abc").identified(DIGITS)


def test_maps_move_with_their_images_into_both_parts_of_a_holdout(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path)
    columned = DIGITS.with_column("reference", Stored(str(folder.path)).maps(DIGITS))
    for part in holdout(columned, 0.3, seed=0):
        batch = batch_of(part)
        expected = Gradient().on(teacher(), batch).map
        assert torch.allclose(batch.column("reference"), expected, atol=1e-6)


def test_damaged_and_missing_maps_are_refused(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path / "maps").path
    for path, what in ((tmp_path / "none", "it does not exist"), (tmp_path, "it has no reference.json")):
        message = f"'{path}' holds no maps: {what}; 'pellucid references' makes some and says where they lie"
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            Stored(str(path)).maps(DIGITS)
    content = bytearray((folder / "maps.npy").read_bytes())
    content[-1] ^= 1
    (folder / "maps.npy").write_bytes(content)
    message = f"'{folder / 'maps.npy'}' is damaged: it is not as it was written; remove it, and give the command that"
    with pytest.raises(Damaged, match=f"^{re.escape(message)}"):
        Stored(str(folder)).maps(DIGITS)
    (folder / "maps.npy").unlink()
    with pytest.raises(DataError, match=r"holds no maps: they are not complete; go on with the command"):
        Stored(str(folder)).maps(DIGITS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [0, 0.1, 0.5, 0.99])
def test_maps_that_were_damaged_while_they_were_made_are_made_again(tmp_path: Path, kind: str, place: float) -> None:
    expected = make(teacher(), DIGITS, QUICK, tmp_path / "undisturbed", job=Job(11)).load()
    steps = make_steps(teacher(), DIGITS, QUICK, tmp_path / "stopped", job=Job(11))
    for _ in range(4):
        next(steps)
    steps.close()
    (path,) = (tmp_path / "stopped").rglob("maps.partial")
    content = path.read_bytes()
    start = int(place * len(content))
    harm(path, kind, random.Random(0), start)
    said: list[Progress] = []
    again = make_steps(teacher(), DIGITS, QUICK, tmp_path / "stopped", job=Job(11))
    if kind == "extend":  # as a kill in the middle of writing leaves it
        said += again
    else:
        with pytest.warns(
            UserWarning, match=r"maps\.partial' is damaged: .* at byte \d+; what is damaged is made again"
        ):
            said += again
    (folder,) = (tmp_path / "stopped").iterdir()
    assert torch.equal(MapFolder.open(folder).load(), expected)
    assert len(said) < 5 or place <= 0.5 or kind == "empty", "what is sound is kept"


def test_maps_that_were_damaged_before_they_were_complete_are_not_certified(tmp_path: Path) -> None:
    steps = make_steps(teacher(), DIGITS, QUICK, tmp_path, job=Job(11))
    next(steps)
    (path,) = tmp_path.rglob("maps.partial")
    harm(path, "flip", random.Random(0))
    with pytest.raises(Damaged, match=r"maps\.partial' is damaged: .*; give the same command again"):
        list(steps)
    with pytest.warns(UserWarning, match="what is damaged is made again"):
        folder = make(teacher(), DIGITS, QUICK, tmp_path)
    assert torch.equal(folder.load(), make(teacher(), DIGITS, QUICK, tmp_path / "other", job=Job(11)).load())


def test_complete_maps_and_what_says_of_them_are_mended(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, QUICK, tmp_path)
    expected, written = folder.load().clone(), (folder.path / "reference.json").read_bytes()
    for name in ("reference.json", "maps.npy"):
        harm(folder.path / name, "flip", random.Random(0))
        with pytest.warns(UserWarning, match=f"{name}' is damaged: .*; it is made again"):
            make(teacher(), DIGITS, QUICK, tmp_path)
        assert torch.equal(folder.load(), expected)
        assert (folder.path / "reference.json").read_bytes() == written


# thresholds


def test_a_threshold_is_two_sided_strict_and_by_the_unbiased_deviation() -> None:
    maps = torch.tensor([[-3.0, -1, 0, 1, 3], [1, 1, 1, 1, 1]])
    assert torch.equal(thresholded(maps, 1.0), torch.tensor([[-3.0, 0, 0, 0, 3], [0, 0, 0, 0, 0]]))
    # the unbiased deviation of these is 1 exactly, so that -1 and 1 lie on the bounds
    edge = torch.tensor([[-1.0, 0, 1]])
    assert torch.equal(thresholded(edge, 1.0), torch.zeros(1, 3))
    assert torch.equal(thresholded(edge, 0.999), torch.tensor([[-1.0, 0, 1]]))


@settings(max_examples=20)
@given(st.integers(0, 1000), st.sampled_from([(1.0, 0.3173), (1.25, 0.2113), (2.0, 0.0455)]), st.floats(0.1, 100))
def test_of_large_normal_maps_a_known_share_is_kept(seed: int, case: tuple[float, float], scale: float) -> None:
    threshold, share = case
    maps = scale * Noise(seed, torch.arange(2)).normal(3, 100, 100, dtype=torch.float64) + 5 * scale
    kept = thresholded(maps, threshold)
    # four deviations of a share of 30000 entries
    assert (kept != 0).flatten(1).double().mean(1).tolist() == pytest.approx([share] * 2, abs=4 * 0.0027)
    assert torch.equal(kept[kept != 0], maps[kept != 0])


def test_a_threshold_of_zero_is_none_and_nothing_is_doubled(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path)
    for threshold in (0.0, 1e-9):
        assert torch.allclose(Stored(str(folder.path), threshold=threshold).maps(DIGITS), folder.load())
    expected = thresholded(folder.load(), 1.0)
    assert torch.equal(Stored(str(folder.path), threshold=1.0).maps(DIGITS), expected)


# permutations


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(0, 1))
def test_a_permutation_keeps_each_map_s_values_and_the_rest_of_its_places(seed: int, share: float) -> None:
    maps = torch.arange(4 * 3 * 5 * 5, dtype=torch.float32).view(4, 3, 5, 5)
    found = permuted(maps, share, Noise(seed, torch.arange(4)))
    assert torch.equal(found.flatten(1).sort(1).values, maps.flatten(1)), "no value comes from another map"
    assert int((found != maps).flatten(1).sum(1).max()) <= int(share * 75)


def test_a_whole_permutation_moves_nearly_everything_and_is_the_image_s_own() -> None:
    maps = torch.arange(1000.0).expand(3, 1000)
    found = permuted(maps, 1.0, Noise(0, torch.arange(3)))
    assert (found != maps).float().mean() > 0.99
    assert not torch.equal(found[0], found[1])
    assert torch.equal(permuted(maps[1:2], 1.0, Noise(0, torch.tensor([1])))[0], found[1])
    # a shuffle of half of the places: about each second entry moves
    half = (permuted(maps, 0.5, Noise(0, torch.arange(3))) != maps).float().mean()
    assert 0.49 < float(half) <= 0.5


def test_permuting_comes_before_thresholding_and_follows_the_seed(tmp_path: Path) -> None:
    folder = make(teacher(), DIGITS, Gradient(), tmp_path)
    whole = Stored(str(folder.path), threshold=1.0)
    mixed = replace(whole, permute=0.5)
    kept = thresholded(folder.load(), 1.0)
    first = mixed.maps(DIGITS, seed=1)
    assert torch.equal(mixed.maps(DIGITS, seed=1), first)
    assert not torch.equal(mixed.maps(DIGITS, seed=2), first)
    # the order of entries changes neither mean nor deviation, so the same values are kept elsewhere
    assert not torch.equal(first, kept)
    assert torch.allclose(first.flatten(1).sort(1).values, kept.flatten(1).sort(1).values, atol=1e-6)


# joint augmentation


class Bright(nn.Module):
    """Logits whose gradient at a pixel hangs on that pixel alone, and vanishes where it is black."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([(x**2).sum((1, 2, 3)), (x**3).sum((1, 2, 3))], 1)


def cosine(batch: Batch) -> Tensor:
    gradient = Gradient().on(Bright(), batch).map
    return F.cosine_similarity(gradient.flatten(1), batch.column("reference").flatten(1), dim=1)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_flipping_image_and_map_together_leaves_the_cosine(seed: int) -> None:
    y = torch.tensor([0, 1, 0, 1])
    batch = Batch(images(4, 2, 6, 6, seed=seed), y, {"reference": images(4, 2, 6, 6, seed=seed + 1) - 0.5})
    flipped = Flip(0.5)(batch, Noise(seed, torch.arange(4)))
    assert torch.allclose(cosine(flipped), cosine(batch), atol=1e-12)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_cropping_image_and_map_together_crops_the_map_of_the_crop(seed: int) -> None:
    x = F.pad(images(4, 1, 4, 4, seed=seed), [2, 2, 2, 2])  # a black rim, so that no crop cuts anything off
    reference = F.pad(images(4, 1, 4, 4, seed=seed + 1) - 0.5, [2, 2, 2, 2])
    batch = Batch(x, torch.tensor([0, 1, 0, 1]), {"reference": reference})
    for fill in ("zero", "replicate"):
        cropped = PadCrop(2, fill)(batch, Noise(seed, torch.arange(4)))
        assert torch.allclose(cosine(cropped), cosine(batch), atol=1e-12)


# other sources


def test_random_maps_are_standard_normal_and_the_image_s_own() -> None:
    many = TensorSplit(torch.zeros(1500, 1, 8, 8), torch.zeros(1500, dtype=torch.long), ("a",))
    maps = RandomMaps().maps(many)
    assert maps.shape == (1500, 1, 8, 8)
    assert not strays(maps.flatten().tolist(), 0) and not strays(maps.square().flatten().tolist(), 1)
    assert torch.equal(RandomMaps().maps(many.take(3), seed=5), maps[:3])
    assert not torch.equal(RandomMaps(1).maps(many), maps)
    assert torch.equal(RandomMaps(threshold=1.0).maps(many), thresholded(maps, 1.0))
    assert RandomMaps().identified(many) == RandomMaps()


def picture(path: Path, value: int, size: tuple[int, int] = (8, 8)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", size, value).save(path)


def test_masks_by_number_hold_for_every_channel(tmp_path: Path) -> None:
    colored = TensorSplit(torch.zeros(4, 3, 8, 8), torch.zeros(4, dtype=torch.long), ("a",))
    for number in range(4):
        picture(tmp_path / f"0000{number}.png", 51 * number)
    masks = Masks(str(tmp_path))
    maps = masks.maps(colored)
    assert maps.shape == (4, 3, 8, 8)
    assert torch.allclose(maps[:, 1, 2, 3], torch.tensor([0, 0.2, 0.4, 0.6]))
    # an image that was taken keeps its number
    assert torch.equal(masks.maps(colored.take(torch.tensor([2]))), maps[2:3])
    known = masks.identified(colored)
    assert known.fingerprint != "" and known.identified(colored) == known
    picture(tmp_path / "00001.png", 7)
    with pytest.raises(ConfigError, match=re.escape(f"the masks in '{tmp_path}' are not those that the settings")):
        known.identified(colored)


def test_masks_of_a_folder_have_the_paths_of_the_images(tmp_path: Path) -> None:
    for name in ("blue", "red"):
        for number in range(6):
            path = tmp_path / "images" / name / f"{number}.jpg"
            picture(path, 40 * number)
            picture(tmp_path / "masks" / name / f"{number}.png", 40 * number)
    split = data.load(tmp_path / "images", decoding=data.Decoding(memory=0)).train
    maps = Masks(str(tmp_path / "masks")).maps(split)
    assert torch.allclose(maps, batch_of(split).x, atol=0.02), "each mask looks like its image here"


def test_masks_that_are_missing_or_of_another_size_are_named(tmp_path: Path) -> None:
    masks, split = Masks(str(tmp_path)), DIGITS.take(3)
    picture(tmp_path / "00000.png", 1)
    message = f"2 of 3 masks are missing, the first is '{tmp_path / '00001.png'}'; give each training image one"
    for ask in (masks.maps, masks.identified):
        with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
            ask(split)
    picture(tmp_path / "00001.png", 1)
    picture(tmp_path / "00002.png", 1, (9, 8))
    message = (
        f"the mask '{tmp_path / '00002.png'}' is 8x9 and its image is 8x8; "
        "draw masks in the size that the network sees"
    )
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        masks.maps(split)


@pytest.mark.parametrize(
    ("make_it", "message"),
    [
        (
            lambda: Stored("x", threshold=-10),
            "Stored has threshold=-10; give deviations from the mean, or 0 to keep it all",
        ),
        (
            lambda: Stored("x", permute=1.5),
            "Stored has permute=1.5; give the share of entries to shuffle, from 0 to 1",
        ),
        (lambda: Taught(permute=-1), "Taught has permute=-1; give the share of entries to shuffle, from 0 to 1"),
        (
            lambda: RandomMaps(threshold=float("nan")),
            "RandomMaps has threshold=nan; give deviations from the mean, or 0 to keep it all",
        ),
        (
            lambda: Taught().maps(DIGITS),
            "maps of a teacher trained by 'adversarial-training' need that training; use 'pellucid train', or make "
            "them with pellucid.train.references.make and attach them with Stored",
        ),
    ],
)
def test_settings_that_mean_nothing(make_it: Callable[[], Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        make_it()

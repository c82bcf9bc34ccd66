"""Figures from per-image columns."""

import math
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pellucid.errors import Damaged, MeasurementError, ShapeError
from pellucid.evaluate import Record, worst
from pellucid.metrics import area
from pellucid.metrics.areas import exact


def record(distance: list[float], *, levels: tuple[float, ...] = (), index: int = 0) -> Record:
    """A record of an attack on the class 0 of 10; infinite distances are images that stood."""
    n = len(distance)
    length = torch.tensor(distance, dtype=torch.float64)
    reached = length.isfinite()
    zero = torch.zeros(n, dtype=torch.long)
    predicted = (length == 0).long()
    columns: dict[str, Tensor] = {
        "index": torch.arange(index, index + n),
        "y": zero,
        "predicted": predicted,
        "found": reached.long(),
        "reached": reached,
        "reached_at_start": length == 0,
        "distance": length.nan_to_num(posinf=0.7),
        "confidence": torch.full((n,), 0.5),
        "forwards": zero + 5,
        "backwards": zero + 3,
        "part": torch.where(reached, 0, -1),
    }
    about = {
        "attack": {"kind": "fmn"},
        "norm": {"kind": "l2"},
        "goal": {"kind": "misclassified"},
        "levels": list(levels),
        "nearest": not levels,
        "classes": 10,
        "seed": 0,
    }
    return Record(columns, about)


def test_equal_distances_have_the_closed_form_area() -> None:
    assert area(torch.full((50,), 0.05), classes=10).value == pytest.approx(0.045)


def test_uniform_distances_have_the_analytic_area() -> None:
    distance = torch.arange(1, 1001, dtype=torch.float64) / 1000 * 0.1
    assert area(distance, classes=10).value == pytest.approx(0.040545, abs=1e-7)


def histogram(distance: Tensor, classes: int) -> float:
    """The published estimate: a right-hand sum over 1000 bins."""
    bins, longest = 1000, float(distance.max())
    counts = torch.histc(distance, bins=bins, min=0, max=longest)
    standing = 1 - counts.cumsum(0) / len(distance) - 1 / classes
    return float(longest / bins * standing.clamp_min(0).sum())


lengths = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60).filter(lambda values: max(values) > 1e-3)


@given(lengths, st.integers(2, 12))
def test_the_area_agrees_with_the_published_histogram_within_a_bin(values: list[float], classes: int) -> None:
    distance = torch.tensor(values, dtype=torch.float64)
    ours, theirs = float(exact(distance, classes)), histogram(distance, classes)
    assert theirs - 1e-9 <= ours <= theirs + float(distance.max()) / 1000 + 1e-9


@given(lengths, st.integers(2, 12))
def test_the_area_is_a_clipped_mean_less_chance(values: list[float], classes: int) -> None:
    ascending = torch.tensor(values, dtype=torch.float64).sort().values
    # the distance at which accuracy falls to chance: beyond it nothing counts
    place = min(math.ceil(len(values) * (1 - 1 / classes) - 1e-9), len(values)) - 1
    bound = float(ascending[max(place, 0)])
    mean = float(ascending.clamp_max(bound).mean())
    assert float(exact(ascending, classes)) == pytest.approx(mean - bound / classes, abs=1e-9)


@given(lengths)
def test_the_area_grows_with_every_distance(values: list[float]) -> None:
    distance = torch.tensor(values, dtype=torch.float64)
    assert float(exact(distance + 0.01, 10)) >= float(exact(distance, 10)) - 1e-12


def test_an_area_at_or_below_chance_is_zero() -> None:
    assert area(torch.tensor([0.0] * 9 + [0.5]), classes=10).value == pytest.approx(0, abs=1e-12)


def test_images_without_a_failure_stand_up_to_the_largest_distance() -> None:
    assert area(torch.tensor([0.1, math.inf]), classes=2).value == area(torch.tensor([0.1, 0.1]), classes=2).value


def test_an_area_needs_a_failure_and_classes() -> None:
    message = "no failure was found for any of 2 images; an area would be endless"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        area(torch.tensor([math.inf, math.inf]), classes=2)
    message = "an area over 1 class has no chance level; there must be two or more"
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}$"):
        area(torch.tensor([1.0]), classes=1)


def test_accuracy_falls_along_the_curve() -> None:
    found = record([0.0, 0.1, 0.2, 0.2, math.inf])
    at, standing = found.curve()
    assert at.tolist() == [0.0, 0.1, 0.2]
    assert standing.tolist() == pytest.approx([0.8, 0.6, 0.2])
    assert found.accuracy.value == 0.8
    assert [found.robust_accuracy(eps).value for eps in at.tolist()] == pytest.approx(standing.tolist())
    assert found.robust_accuracy(0.15).value == pytest.approx(0.6)
    assert found.unreached == 1
    assert found.median_distance().value == pytest.approx(0.2)
    assert found.median_distance().n == 3


def test_a_bounded_attack_tells_of_its_budgets_only() -> None:
    found = record([0.0, 0.1, math.inf], levels=(0.1, 0.2))
    assert found.robust_accuracy(0.1).value == pytest.approx(1 / 3)
    message = (
        "this attack had the budget 0.1, 0.2 and says nothing of eps=0.3; measure with that eps, "
        "or with a nearest-point attack"
    )
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        found.robust_accuracy(0.3)
    message = "an area needs the nearest failure of every image; measure with a nearest-point attack such as fmn"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        found.area()


def test_a_corruption_has_no_distances_to_speak_of() -> None:
    found = record([0.0, 0.25, math.inf])
    found = Record(found.columns, {**found.about, "nearest": False})
    assert found.survived.value == pytest.approx(1 / 3)
    message = (
        "this attack had no budget and says nothing of eps=0.3; measure with that eps, or with a nearest-point attack"
    )
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        found.robust_accuracy(0.3)
    with pytest.raises(MeasurementError, match="^an area needs the nearest failure of every image"):
        found.area()


def test_images_that_fail_as_they_are_have_no_median_distance() -> None:
    with pytest.raises(MeasurementError, match="^every image fails as it is; there is no distance to speak of$"):
        record([0.0, 0.0]).median_distance()


def test_nothing_moved_has_no_median_distance() -> None:
    message = "the attack moved no image to its goal; there is no median distance"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        record([0.0, math.inf]).median_distance()


def test_the_worst_of_several_attacks_is_taken_image_by_image() -> None:
    both = worst([record([0.1, math.inf, 0.3]), record([0.2, 0.2, math.inf], levels=(0.2,))])
    assert both.distance.tolist() == [0.1, 0.2, 0.3]
    assert both.about["levels"] == [0.2]
    assert both.robust_accuracy(0.2).value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (record([0.1], index=7), "these records are of different images; measure all attacks on the same ones"),
        (
            Record(record([0.1]).columns, {**record([0.1]).about, "norm": {"kind": "linf"}}),
            "these records differ in norm or goal; their distances do not compare",
        ),
        (
            record([0.1], levels=(0.5,)),
            "these records have no budget in common; measure all attacks at the same eps",
        ),
    ],
)
def test_records_that_do_not_compare(other: Record, message: str) -> None:
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        worst([record([0.1], levels=(0.1,)), other])


def test_a_record_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    found = record([0.0, 0.25, math.inf], levels=(0.25,))
    found.save(tmp_path / "record.npz")
    again = Record.load(tmp_path / "record.npz")
    assert again.about == found.about
    assert list(again.columns) == list(found.columns)
    assert all(torch.equal(again.columns[name], found.columns[name]) for name in found.columns)


def test_a_file_that_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "record.npz").write_bytes(b"nothing")
    with pytest.raises(Damaged, match=re.escape(f"'{tmp_path / 'record.npz'}' is damaged (")):
        Record.load(tmp_path / "record.npz")

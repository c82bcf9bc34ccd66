"""Ambiguity under attack, distance ratios and areas under the ROC curve: closed forms and planted neurons."""

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score
from torch import Tensor

from chance import rare
from pellucid.errors import MeasurementError
from pellucid.metrics.neurons import Reading, ambiguity, auroc, consistency, distance_ratios

LABELS = torch.arange(10).repeat_interleave(50)
TARGETS = (LABELS + 1 + torch.arange(500) % 9) % 10
HOW = Reading(share=0.1, draws=50)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_images_that_stay_what_they_are_keep_their_classes() -> None:
    real = noise(500, 6)
    found = ambiguity(real, LABELS, real, LABELS, TARGETS, classes=10, how=HOW)
    torch.testing.assert_close(found.content, torch.ones(6, dtype=torch.float64))
    own, other = (consistency(real, of, how=HOW).shares for of in (LABELS, TARGETS))
    torch.testing.assert_close(found.target, torch.cosine_similarity(own, other, dim=1))


def test_planted_neurons_stay_or_go() -> None:
    content = torch.stack([(LABELS == 4) + 0.1 * noise(500), (TARGETS == 4) + 0.1 * noise(500)], 1)
    real = (LABELS == 4)[:, None] + 0.1 * noise(500, 2, seed=1)
    found = ambiguity(real, LABELS, content, LABELS, TARGETS, classes=10, how=HOW)
    assert found.content[0] == pytest.approx(1) and found.target[1] == pytest.approx(1)
    assert found.target[0] < 0.2 and found.content[1] < 0.2  # a class is never its own target
    assert found.content_null.tolist() == pytest.approx([0.31, 0.31], abs=0.06)  # 1 / sqrt(10) for flat histograms
    means = found.means()
    assert means["difference"].value == pytest.approx(float((found.content - found.target).mean()))
    assert list(means) == ["content", "target", "content_above", "target_above", "difference"]
    assert found.difference[0] > 0.8 > -0.8 > found.difference[1]


def test_neurons_that_say_the_same_of_all_are_left_out() -> None:
    real, attacked = noise(500, 3), noise(500, 3, seed=1)
    real[:, 0], attacked[:, 2] = 1.0, 0.0
    assert ambiguity(real, LABELS, attacked, LABELS, TARGETS, classes=10, how=HOW).neuron.tolist() == [1]
    nothing = ambiguity(real[:, :1], LABELS, attacked[:, :1], LABELS, TARGETS, classes=10, how=HOW)
    assert len(nothing) == 0
    message = "all neurons of this layer are dead; nothing can be said of them"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        nothing.means()


def test_ratios_of_images_that_stay_and_images_that_arrive() -> None:
    real = torch.eye(10, dtype=torch.float64)[LABELS] * 5 + noise(500, 10)
    stayed = distance_ratios(real, LABELS, real, torch.arange(500), TARGETS)
    assert float(stayed.instances.max()) == 0 and float(stayed.means.max()) < 0.5 and stayed.undefined == 0
    there = torch.stack([real[LABELS == target][0] for target in TARGETS.tolist()])
    arrived = distance_ratios(real, LABELS, there + 1e-3 * noise(500, 10, seed=2), torch.arange(500), TARGETS)
    assert float(arrived.instances.min()) > 100 and float(arrived.means.min()) > 2
    exactly = distance_ratios(real, LABELS, there, torch.arange(500), TARGETS)
    assert exactly.undefined == 500 and exactly.instances.isnan().all() and exactly.mean.value > 2
    with pytest.raises(MeasurementError, match="^no attacked image has this ratio$"):
        exactly.instance  # noqa: B018


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_ratios_do_not_depend_on_scale_and_equal_their_definition(seed: int, scale: float) -> None:
    real, attacked = noise(30, 4, seed=seed), noise(12, 4, seed=seed + 1)
    labels, origin = torch.arange(30) % 3, torch.arange(12)
    targets = (labels[origin] + 1) % 3
    found = distance_ratios(real, labels, attacked, origin, targets)
    scaled = distance_ratios(real * scale, labels, attacked * scale, origin, targets)
    torch.testing.assert_close(found.means, scaled.means)
    torch.testing.assert_close(found.instances, scaled.instances)
    for row in range(12):
        own, other = (real[labels == which].mean(0) for which in (labels[origin[row]], targets[row]))
        assert float(found.means[row]) == pytest.approx(
            float((attacked[row] - own).norm() / (attacked[row] - other).norm())
        )
        nearest = (attacked[row] - real[labels == targets[row]]).norm(dim=1).min()
        assert float(found.instances[row]) == pytest.approx(
            float((attacked[row] - real[origin[row]]).norm() / nearest)
        )


def test_intervals_of_ratios_are_over_images_and_classes_may_be_missing() -> None:
    real, labels = noise(10, 3), torch.arange(10) % 2
    attacked = noise(20, 3, seed=1)
    found = distance_ratios(
        real, labels, attacked, torch.arange(20) // 2, torch.tensor([1 - n // 2 % 2 for n in range(20)])
    )
    assert found.mean.n == found.instance.n == 10
    missing = distance_ratios(real, labels, attacked[:2], torch.tensor([0, 1]), torch.tensor([1, 2]))
    assert missing.undefined == 1 and missing.mean.n == 1


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.integers(2, 40))
def test_areas_are_scikit_learns(seed: int, n: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randint(6, (n,), generator=generator).double()
    positive = torch.rand(n, generator=generator) < 0.4
    positive[:2] = torch.tensor([True, False])
    found = auroc(scores, positive)
    assert found.value == pytest.approx(roc_auc_score(positive.numpy(), scores.numpy()))
    assert 0 <= found.low <= found.high <= 1 and found.n == n
    assert auroc(-scores, positive).value == pytest.approx(1 - found.value)


def test_intervals_of_areas_cover_and_respect_groups() -> None:
    covered = 0
    for seed in range(60):
        positive = torch.arange(200) % 2 == 0
        scores = noise(200, seed=seed) + 0.3 * positive
        found = auroc(scores, positive, seed=seed)
        # for u uniform, P(u1 + .3 > u2) = 1 - .7^2 / 2
        covered += found.low <= 1 - 0.7**2 / 2 <= found.high
    assert not rare(covered, 60, 0.95)
    positive = torch.arange(200) % 2 == 0
    scores = noise(200) + 0.3 * positive
    twice = torch.cat([scores, scores]), torch.cat([positive, positive])
    groups = torch.arange(200).repeat(2)
    alone, together = auroc(*twice), auroc(*twice, groups=groups)
    assert together.high - together.low > 1.2 * (alone.high - alone.low), "copies are no evidence"


@pytest.mark.parametrize(("kind", "positive"), [("negative", [False] * 3), ("positive", [True] * 3)])
def test_areas_need_both_kinds(kind: str, positive: list[bool]) -> None:
    message = f"all 3 rows are {kind}; an area under the ROC curve needs both kinds"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        auroc(noise(3), torch.tensor(positive))

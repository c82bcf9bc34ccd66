"""LIME against the package `lime`, which is given the same masks and the same segments."""

from typing import Any

import numpy
import pytest
import torch
from lime import lime_image
from lime.submodular_pick import SubmodularPick
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances
from torch import Tensor, nn

from networks import images, smooth
from pellucid.batch import Batch
from pellucid.explainers.lime import Grid, Lime, Quickshift, Slic, TooFewMasks, submodular_pick
from pellucid.explainers.lime.regression import Sums, best_fit
from pellucid.explainers.lime.sampling import drawn_masks, weights
from pellucid.explainers.lime.segmentation import Segmentation
from pellucid.randomness import Noise

X, MODEL = images(2, 3, 24, 24), smooth(channels=3, size=24)


def masks(index: int, counts: list[int], count: int) -> Tensor:
    """Those that `Lime` uses for the image of this number, under the seed 0."""
    return drawn_masks(Noise(0, torch.tensor([index])), 0, counts, antithetic=True)[0, :count]


def theirs(model: nn.Module, x: Tensor, segments: Tensor, given: Tensor, **options: Any) -> Any:
    """What the package finds with these masks for the first two classes: an explanation, its last score included."""

    class Given:
        def randint(self, *_: int) -> Any:
            return given.numpy().astype(int).ravel()

    def probabilities(pictures: Any) -> Any:
        return model(torch.from_numpy(pictures).permute(0, 3, 1, 2)).softmax(1).detach().numpy()

    def given_segments(_picture: Any) -> Any:
        return segments.numpy()

    explainer: Any = lime_image.LimeImageExplainer(feature_selection=options.pop("feature_selection", "auto"))
    explainer.random_state = Given()
    return explainer.explain_instance(
        x.permute(1, 2, 0).numpy(), probabilities, labels=(0, 1), top_labels=None, num_samples=len(given),
        segmentation_fn=given_segments, random_seed=0, **options,
    )  # fmt: skip


@pytest.mark.parametrize("segmentation", [Grid(4, 4), Slic(segments=20)])
@pytest.mark.parametrize("hide", [None, 0.0])
def test_coefficients_are_theirs(segmentation: Segmentation, hide: float | None) -> None:
    lime = Lime(segmentation, masks=300, baseline="segment-mean" if hide is None else hide)
    found = lime.local(MODEL, Batch(X, torch.zeros(2, dtype=torch.long)), classes=(0, 1))
    for image in range(2):
        count = int(found.counts[image])
        peer = theirs(MODEL, X[image], found.segments[image], masks(image, [count], 300), hide_color=hide)
        for label in (0, 1):
            coefficients = numpy.zeros(count)
            for feature, value in peer.local_exp[label]:
                coefficients[feature] = value
            assert found.coefficients[image, label, :count].numpy() == pytest.approx(coefficients, rel=0, abs=1e-12)
            assert float(found.intercepts[image, label]) == pytest.approx(peer.intercept[label], abs=1e-12)
        assert float(found.r2[image, 1]) == pytest.approx(peer.score, abs=1e-10)


def test_the_features_that_are_kept_are_theirs() -> None:
    lime = Lime(Grid(4, 4), masks=300, features=5)
    found = lime.local(MODEL, Batch(X, torch.zeros(2, dtype=torch.long)), classes=(0, 1))
    peer = theirs(
        MODEL, X[0], found.segments[0], masks(0, [16], 300), num_features=5, feature_selection="highest_weights"
    )
    for label in (0, 1):
        kept = {feature: float(found.coefficients[0, label, feature]) for feature, _ in peer.local_exp[label]}
        assert kept == pytest.approx(dict(peer.local_exp[label]), rel=0, abs=1e-12)
        assert int((found.coefficients[0, label] != 0).sum()) == 5


def test_superpixels_of_quick_shift_are_theirs() -> None:
    from lime.wrappers.scikit_image import SegmentationAlgorithm
    from skimage.data import astronaut

    picture = astronaut()[:96:2, 200:296:2] / 255.0
    # scikit-image has renamed what seeds the noise that breaks ties, so that the package seeds it no more
    segment: Any = SegmentationAlgorithm("quickshift", kernel_size=4, max_dist=200, ratio=0.2, rng=0)
    found = Quickshift(kernel=4)(torch.from_numpy(picture).permute(2, 0, 1)[None])[0]
    assert torch.equal(found, torch.from_numpy(segment(picture)).long())


def test_weights_are_those_of_their_distances() -> None:
    given = masks(0, [37], 500).numpy().astype(float)
    assert given[1].sum() == 0, "the mask that shows nothing is one of them"
    distances = pairwise_distances(given, given[:1], metric="cosine").ravel()
    expected = numpy.sqrt(numpy.exp(-(distances**2) / 0.25**2))
    found = weights(torch.from_numpy(given.mean(1)), "cosine", 0.25)
    assert found.numpy() == pytest.approx(expected, rel=1e-14, abs=1e-15)
    hamming = pairwise_distances(given, given[:1], metric="hamming").ravel()
    assert weights(torch.from_numpy(given.mean(1)), "hamming", 0.5).numpy() == pytest.approx(
        numpy.exp(-2 * hamming**2), rel=1e-14
    )


@pytest.mark.parametrize("alpha", [1.0, 0.0, 20.0])
def test_regression_is_that_of_scikit_learn(alpha: float) -> None:
    generator = torch.Generator().manual_seed(0)
    given = masks(0, [30], 700)
    weight = torch.rand(700, generator=generator, dtype=torch.float64)
    answers = torch.randn(700, 3, generator=generator, dtype=torch.float64) + given[:, :3] + 5
    sums = Sums(1, 3, 30, torch.device("cpu"))
    for part in torch.arange(700).split(256):  # in parts
        sums.add(
            given[None, part], weight[None, part], answers[None, part], torch.ones(1, len(part), dtype=torch.bool)
        )
    found = best_fit(sums, torch.ones(1, 30, dtype=torch.bool), alpha, 0)
    peer = Ridge(alpha=alpha).fit(given.numpy(), answers.numpy(), sample_weight=weight.numpy())
    assert found.coefficients[0].numpy() == pytest.approx(peer.coef_, rel=0, abs=1e-13)
    assert found.intercepts[0].numpy() == pytest.approx(peer.intercept_, rel=1e-13)
    for number in range(3):
        alone = Ridge(alpha=alpha).fit(given.numpy(), answers[:, number].numpy(), sample_weight=weight.numpy())
        score = alone.score(given.numpy(), answers[:, number].numpy(), sample_weight=weight.numpy())
        assert float(found.r2[0, number]) == pytest.approx(score, abs=1e-12)


def test_without_a_penalty_errors_are_those_of_weighted_least_squares() -> None:
    generator = torch.Generator().manual_seed(0)
    given, weight = masks(0, [12], 200), torch.rand(200, generator=generator, dtype=torch.float64)
    answers = torch.randn(200, 1, generator=generator, dtype=torch.float64)
    sums = Sums(1, 1, 12, torch.device("cpu"))
    sums.add(given[None], weight[None], answers[None], torch.ones(1, 200, dtype=torch.bool))
    found = best_fit(sums, torch.ones(1, 12, dtype=torch.bool), 0.0, 0)
    design = numpy.column_stack([given.numpy(), numpy.ones(200)]) * numpy.sqrt(weight.numpy())[:, None]
    solution, rest, _, _ = numpy.linalg.lstsq(design, answers[:, 0].numpy() * numpy.sqrt(weight.numpy()))
    errors = numpy.sqrt(numpy.diag(numpy.linalg.inv(design.T @ design)) * rest[0] / (200 - 13))
    assert found.coefficients[0, 0].numpy() == pytest.approx(solution[:12], abs=1e-13)
    assert found.standard_errors[0, 0].numpy() == pytest.approx(errors[:12], rel=1e-10)


def test_with_fewer_masks_than_segments_it_is_the_smallest_solution_as_theirs() -> None:
    found = _few(0.0)
    given = masks(0, [16], 10).numpy().astype(float)
    outputs = _answers(given)
    weight = weights(torch.from_numpy(given.mean(1)), "cosine", 0.25).numpy()
    centered = given - numpy.average(given, axis=0, weights=weight)
    target = outputs - numpy.average(outputs, weights=weight)
    smallest = numpy.linalg.pinv(centered * numpy.sqrt(weight)[:, None]) @ (target * numpy.sqrt(weight))
    assert found.numpy() == pytest.approx(smallest, rel=0, abs=1e-10)


def test_picks_are_theirs() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        coefficients = torch.randn(30, 12, generator=generator, dtype=torch.float64)
        coefficients *= torch.rand(30, 12, generator=generator) < 0.3

        class Told:
            """An explanation whose features are told rather than found."""

            mode = "regression"

            def __init__(self, row: Tensor) -> None:
                self.row = row

            def as_list(self, label: int = 1) -> list[tuple[int, float]]:
                return [(feature, float(self.row[feature])) for feature in range(len(self.row))]

        class Telling:
            def explain_instance(self, row: Tensor, *_: object, **__: object) -> Told:
                return Told(row)

        peer = SubmodularPick(Telling(), coefficients, None, method="full", num_exps_desired=3)
        assert submodular_pick(coefficients, 3).rows.tolist() == peer.V


def _answers(given: Any) -> Any:
    cells = Grid(4, 4)(X[:1])[0]
    means = Lime(Grid(4, 4)).segmentation(X[:1])
    assert torch.equal(means[0], cells)
    hidden = X[0].view(3, 4, 6, 4, 6).mean((2, 4)).repeat_interleave(6, 1).repeat_interleave(6, 2)
    shown = torch.from_numpy(given)[:, cells][:, None]
    return MODEL(hidden + (X[0] - hidden) * shown).softmax(1)[:, 0].detach().numpy()


def _few(alpha: float) -> Tensor:
    with pytest.warns(TooFewMasks):
        found = Lime(Grid(4, 4), masks=10, alpha=alpha).local(MODEL, Batch(X, torch.zeros(2, dtype=torch.long)), 0)
    return found.coefficients[0, 0]

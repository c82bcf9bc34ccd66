"""Class importance of networks whose answers are known, and what does not change it."""

import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from networks import images
from pellucid.batch import Batch
from pellucid.errors import ConfigError, ShapeError
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime, Pixels, Slic
from pellucid.explainers.normlime import Rule, aggregate, explainer_of

GRID = Lime(Grid(3, 3), masks=200, baseline=0.0)


class Corners(nn.Module):
    """Says class 0 where the first corner is brighter, class 1 where the last one is; class 2 never."""

    def forward(self, x: Tensor) -> Tensor:
        first, last = x[:, 0, :2, :2].mean((1, 2)), x[:, 0, -2:, -2:].mean((1, 2))
        return torch.stack([4 * first, 4 * last, -9 + 0 * first], 1)


X = images(40, 1, 6, 6)


def test_what_the_network_looks_at_is_what_is_important() -> None:
    learned = NormLime(GRID).fit(Corners(), X)
    assert learned.learned is not None
    importance = learned.learned.importance
    assert set(importance.top(0, 2).tolist()) == {0, 8} and set(importance.top(1, 2).tolist()) == {0, 8}
    found = learned(Corners(), X[:3], 0).map
    assert torch.equal(found[0], found[1]), "a class has one map for all images"
    assert float(found[:, :, :2, :2].min()) > 100 * float(found[:, :, 2:4].max())
    of_none = learned(Corners(), X[:1], 2)
    assert not of_none.map.any(), "no image was predicted as class 2"
    assert of_none.notes == (
        ("the map is zero everywhere: no image that it has learned from counts for this class",),
    )
    assert learned(Corners(), X[:1], 0).notes == ((),)


def test_it_is_the_aggregate_of_lime_s_own_explanations() -> None:
    batch = Batch(X, torch.zeros(len(X), dtype=torch.long))
    local = GRID.local(Corners(), batch, "predicted", seed=5)
    w, y = local.coefficients[:, 0], local.classes[:, 0]
    for rule in (Rule(), Rule("mean-abs", "positive"), Rule("sp-lime", by="global")):
        learned = NormLime(GRID, rule.kind, rule.sign, rule.by).fit(Corners(), X, seed=5).learned
        expected = aggregate(w, y, rule)
        assert learned is not None
        rows = len(expected.values)
        assert torch.allclose(learned.importance.values[:rows], expected.values, rtol=1e-9)
        assert torch.equal(learned.importance.counts[:rows], expected.counts)


def test_a_network_that_says_the_same_always_has_no_importance() -> None:
    class Constant(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.new_tensor([0.0, 1.0]).expand(len(x), 2)

    learned = NormLime(GRID).fit(Constant(), X).learned
    assert learned is not None
    assert learned.importance.skipped == len(X)
    assert not learned.importance.values.any()


def test_places_that_hide_nothing_in_any_image_are_said_to_be_unknown() -> None:
    x = X.clone()
    x[..., 2:4, 2:4] = 0
    x[:20, ..., 2:] = 0
    learned = NormLime(GRID).fit(Corners(), x)
    assert learned.learned is not None
    importance = learned.learned.importance
    assert int(importance.counts[:, 4].sum()) == 0, "the middle is black throughout"
    assert int(importance.counts[:, 0].sum()) == 40 and int(importance.counts[:, 8].sum()) == 20
    assert learned(Corners(), x[:1], 0).notes == (
        ("white is also where nothing could be hidden in any image of this class: nothing is known there",),
    )


@pytest.mark.parametrize("cells", [(8, 8), (5, 8), (7, 7)])
@pytest.mark.parametrize("channels", [1, 3])
def test_class_maps_of_small_images_with_cells_of_a_pixel_are_refused(cells: tuple[int, int], channels: int) -> None:
    with pytest.raises(ConfigError, match=r"cells are a single pixel of images of 8 x 8, whose mean is the pixel"):
        NormLime(Lime(Grid(*cells), masks=330)).fit(Corners(), images(4, channels, 8, 8))


def test_superpixels_have_the_importance_of_their_words() -> None:
    # a dark image with a bright patch somewhere: the network adds up light, so that bright superpixels matter
    class Light(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            light = 6 * x.mean((1, 2, 3))
            return torch.stack([light, torch.zeros_like(light)], 1)

    x = torch.zeros(12, 1, 12, 12, dtype=torch.float64)
    for number in range(12):
        down, across = 4 * (number % 3), 4 * (number // 3 % 3)
        x[number, :, down : down + 4, across : across + 4] = 1
    explainer = NormLime(Lime(Grid(3, 3), masks=100, baseline=0.0), by="global", words=2)
    learned = explainer.fit(Light(), x)
    found = learned(Light(), x, 0).map
    assert float(found[x > 0].min()) > 10 * float(found[x == 0].max())
    moved = x.roll(4, 3)
    assert torch.allclose(learned(Light(), moved, 0).map, found.roll(4, 3))
    superpixels = NormLime(Lime(Slic(9), masks=100, baseline=0.0), by="global", words=2).fit(Light(), x)
    found = superpixels(Light(), x, 0).map
    assert float(found[x > 0].mean()) > 2 * float(found[x == 0].mean())


def test_the_explainer_of_words() -> None:
    found = explainer_of((1, 28, 28), cell=5, masks=64, assignments=["alpha=0.1"], rule=Rule("mean-abs"))
    assert found == NormLime(Lime(Grid(6, 6), masks=64, alpha=0.1), aggregation="mean-abs")
    assert explainer_of((1, 8, 8), segmentation="pixels") == NormLime(Lime(Pixels(), baseline="mean"))
    assert explainer_of((1, 8, 8), segmentation="slic", words=3).words == 3
    for cell, baseline in ((1, "mean"), (2, "segment-mean"), (3, "segment-mean"), (8, "segment-mean")):
        assert explainer_of((1, 8, 8), cell=cell).lime.baseline == baseline
    assert explainer_of((3, 8, 9), cell=2).lime.baseline == "mean", "the last of five columns would be a pixel wide"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: NormLime(Lime(Slic())),
            ConfigError,
            "NormLime has words=0 with superpixels by 'slic', which are others in each image; "
            "give words, or a segmentation that all images share, such as 'grid'",
        ),
        (
            lambda: NormLime(words=-1),
            ConfigError,
            "NormLime has words=-1; give 0 for shared features, or how many words",
        ),
        (
            lambda: NormLime(layer="0"),
            ConfigError,
            "NormLime has layer='0' and words=0; a layer describes words, so give some",
        ),
        (
            lambda: NormLime(GRID)(Corners(), X, 0),
            ConfigError,
            "NormLime has learned nothing yet; call fit(model, images), and explain with what it returns",
        ),
        (
            lambda: NormLime(GRID).fit(Corners(), X[:0]),
            ShapeError,
            "there are no images to learn from; give one or more",
        ),
        (
            lambda: NormLime(GRID).fit(Corners(), X)(Corners(), images(2, 1, 8, 6), 0),
            ShapeError,
            "NormLime has learned from images of 1x6x6, and these are of 1x8x6; fit it to such",
        ),
        (
            lambda: explainer_of((1, 8, 8), segmentation="slic"),
            ConfigError,
            "superpixels by 'slic' are others in each image, so that they need words to be put together; "
            "give --words 20, or --segmentation grid",
        ),
        (
            lambda: explainer_of((1, 8, 8), layer="fc1"),
            ConfigError,
            "--layer fc1 describes words for superpixels, and there are none; give --words 20 too",
        ),
        (
            lambda: explainer_of((1, 8, 8), segmentation="slic", cell=2),
            ConfigError,
            "cell=2 is the size of cells of a 'grid', and 'slic' has none; leave it out",
        ),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        make()

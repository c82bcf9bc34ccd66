import torch

from networks import linear
from pellucid.explainers import Lime, NormLime, Occlusion, Smooth
from pellucid.explainers.lime import Grid, Pixels, Quickshift, Slic
from pellucid.explainers.lime.sampling import BLOCK, drawn_masks
from pellucid.randomness import Noise

NOISE = Noise(7, torch.tensor([3, 11]))


def test_bits_are_fair_and_those_of_different_segments_and_images_independent() -> None:
    masks = torch.cat([drawn_masks(NOISE, block, [100, 100], antithetic=False) for block in range(40)], 1).double()
    count = masks.shape[1]
    assert bool((masks.mean(1) - 0.5).abs().max() < 5 * 0.5 / count**0.5)
    both = torch.cat([masks[0], masks[1]], 1) - 0.5
    correlation = 4 * both.T @ both / count - torch.eye(200)
    assert correlation.abs().max() < 5.5 / count**0.5
    following = 4 * (both[:-1] * both[1:]).mean(0)
    assert following.abs().max() < 5 / count**0.5


def test_an_image_has_the_same_masks_however_many_segments_others_have() -> None:
    for antithetic in (False, True):
        narrow = drawn_masks(Noise(7, torch.tensor([3])), 2, [60], antithetic=antithetic)
        wide = drawn_masks(NOISE, 2, [60, 200], antithetic=antithetic)
        assert torch.equal(wide[0, :, :60], narrow[0])
        assert not bool(wide[0, :, 60:].any())
        assert wide.shape == (2, BLOCK, 200)


def test_the_first_mask_shows_all_and_pairs_are_opposites() -> None:
    first = drawn_masks(NOISE, 0, [9, 5], antithetic=True)
    assert first[:, 0].sum(1).tolist() == [9, 5]
    assert not bool(first[:, 1].any())
    assert bool((first[0, ::2] ^ first[0, 1::2]).all())
    assert bool((first[1, ::2, :5] ^ first[1, 1::2, :5]).all())
    later = drawn_masks(NOISE, 1, [9, 5], antithetic=True)
    assert not bool(later[0, 0].all()) and not torch.equal(later, first)
    plain = drawn_masks(NOISE, 0, [9, 5], antithetic=False)
    assert plain[:, 0].sum(1).tolist() == [9, 5]
    assert bool(plain[0, 1].any())


def test_segments_are_numbered_without_gaps_and_those_of_grids_are_shared() -> None:
    generator = torch.Generator().manual_seed(0)
    for channels in (1, 3, 13):
        x = torch.rand(3, channels, 30, 22, generator=generator)
        for segmentation in (Slic(), Quickshift(), Grid(), Grid(4, 50), Pixels()):
            found = segmentation(x)
            assert found.shape == (3, 30, 22)
            assert torch.equal(segmentation(x), found)
            for labels in found:
                assert torch.equal(labels.unique(), torch.arange(int(labels.max()) + 1))
            if segmentation.shared:
                assert torch.equal(found[0], found[2])
            assert torch.equal(segmentation(x[1:2])[0], found[1]), "an image's segments are its own"
    assert Grid(4, 50)(x).max() == 4 * 22 - 1
    assert Grid(2, 3)(torch.zeros(1, 1, 4, 6))[0].tolist() == 2 * [[0, 0, 1, 1, 2, 2]] + 2 * [[3, 3, 4, 4, 5, 5]]


def test_compactness_means_the_same_for_gray_images_as_for_colors() -> None:
    ramp = torch.linspace(0, 1, 40)
    edge = ((ramp[:, None] + 0.3 * ramp) > 0.6).float()[None, None] * 0.8 + 0.1
    gray, color, many = Slic(9)(edge), Slic(9)(edge.expand(-1, 3, -1, -1)), Slic(9)(edge.expand(-1, 13, -1, -1))
    for found in (gray, color, many):
        # superpixels keep to one side of an edge
        sides = [edge[0, 0][found[0] == label].mean() for label in range(int(found.max()) + 1)]
        assert all(min(abs(side - 0.1), abs(side - 0.9)) < 0.12 for side in sides)
    assert torch.equal(gray, many)


def test_quickshift_finds_about_as_many_superpixels_at_every_size() -> None:
    """With a kernel in pixels there were 1 of 16 x 16 and 80 of 300 x 300."""
    generator = torch.Generator().manual_seed(1)
    coarse = torch.rand(1, 3, 6, 6, generator=generator)
    counts = {}
    for side in (32, 96, 300):
        x = torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic").clamp(0, 1)
        found = Quickshift()(x)
        assert found.shape == (1, side, side)
        counts[side] = int(found.max()) + 1
    assert max(counts.values()) <= 3 * min(counts.values()), counts
    assert min(counts.values()) > 5, counts


def test_resolved_settings_are_those_of_the_shape() -> None:
    assert Grid().resolved((3, 8, 224)) == Grid(4, 7)
    lime = Lime(Grid()).resolved((3, 224, 224))
    assert (lime.segmentation, lime.masks) == (Grid(7, 7), 1000)
    assert Lime(Grid(10, 10)).resolved((1, 64, 64)).masks == 2000
    assert Lime().resolved((3, 64, 64)) == Lime(), "how many superpixels there are hangs on the image"
    assert Smooth(Occlusion()).resolved((3, 64, 64)).explainer == Occlusion(10, 5)
    learned = NormLime(Lime(Grid(), masks=80)).fit(linear(pixels=64), torch.rand(3, 1, 8, 8, dtype=torch.float64))
    assert learned.resolved((1, 8, 8)).lime.segmentation == Grid(4, 4)
    assert not learned.resolved((1, 8, 8)).learns

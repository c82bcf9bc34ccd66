import pytest
import skimage.color
import torch

from pellucid.drawing import colored, plane, scaled

LEVELS = torch.linspace(-1, 1, 201)[None]


def test_nothing_is_white_and_signs_are_told_apart() -> None:
    row = colored(LEVELS)[0].astype(int)
    assert row[100].tolist() == [255, 255, 255]
    assert (row[:70, 2] > row[:70, 0]).all(), "against is blue"
    assert (row[131:, 0] > row[131:, 2]).all(), "for is red"


def test_lightness_falls_evenly_to_either_end() -> None:
    lightness = skimage.color.rgb2lab(colored(LEVELS))[0, :, 0]
    assert (lightness[:100] < lightness[1:101]).all()
    assert (lightness[100:-1] > lightness[101:]).all()
    assert abs(lightness[::-1] - lightness).max() < 12, "what is as strong is about as dark"


@pytest.mark.parametrize(
    "seen",
    [  # linear RGB as deuteranopes and protanopes see it (Viénot, Brettel and Mollon 1999)
        [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
        [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    ],
)
def test_the_signs_stay_apart_for_those_who_see_no_red_or_green(seen: list[list[float]]) -> None:
    linear = (torch.from_numpy(colored(LEVELS)).double() / 255) ** 2.2
    lab = skimage.color.rgb2lab(
        ((linear @ torch.tensor(seen, dtype=torch.float64).T).clamp(0, 1) ** (1 / 2.2)).numpy()
    )
    hues = lab[0, :, 1:]
    for strength in (30, 60, 90):
        apart = ((hues[100 + strength] - hues[100 - strength]) ** 2).sum() ** 0.5
        assert apart > 10, strength


def test_what_has_no_sign_has_a_color_of_its_own() -> None:
    row = colored(LEVELS[:, 100:], signed=False)[0].astype(int)
    assert row[0].tolist() == [255, 255, 255]
    assert (row[30:, 2] > row[30:].min(1)).all() and (row[60:, 0] > row[60:, 1]).all(), "purple"
    lightness = skimage.color.rgb2lab(row[None].astype("uint8"))[0, :, 0]
    assert (lightness[:-1] > lightness[1:]).all()


def test_beyond_the_ends_is_the_end() -> None:
    assert (colored(torch.tensor([[-9.0, 9.0]])) == colored(torch.tensor([[-1.0, 1.0]]))).all()


def test_a_scale_leaves_out_the_extreme_and_keeps_signs() -> None:
    values = torch.linspace(-1, 1, 1001)[None].clone()
    values[0, 0] = -1000
    found, scale = scaled(values)
    assert 0.9 < scale < 1
    assert torch.equal(found.sign(), values.sign())
    assert torch.allclose(found * scale, values)
    nothing = torch.zeros(4, 4)
    assert scaled(nothing) == (nothing, 0.0) or torch.equal(scaled(nothing)[0], nothing)


def test_of_a_map_with_one_bright_pixel_that_is_the_scale() -> None:
    values = torch.zeros(100, 100)
    values[3, 4] = 5
    assert scaled(values)[1] == 5


def test_channels_are_summed_unless_they_say_the_same() -> None:
    map = torch.tensor([[[1.0, 2.0]], [[-3.0, 4.0]]])
    assert plane(map).tolist() == [[-2.0, 6.0]]
    assert plane(map[:1].expand(3, 1, 2)).tolist() == [[1.0, 2.0]]

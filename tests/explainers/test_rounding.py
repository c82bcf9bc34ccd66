"""Maps that are no more than rounding, or that of a simpler method, say so; whatever the scale of the logits."""

import pytest
import torch
from torch import Tensor, nn

from networks import images, linear, smooth
from pellucid.evaluate.explanations import Insertion, judge
from pellucid.explainers import (
    LRP,
    RISE,
    Explainer,
    Explanation,
    GradCAM,
    Gradient,
    GuidedBackprop,
    InputTimesGradient,
    IntegratedGradients,
    Lime,
    Occlusion,
    Smooth,
    SmoothGrad,
    SmoothGradSquared,
    VarGrad,
)
from pellucid.explainers.lime import Grid
from pellucid.explainers.rounding import HARDLY, ROUNDED, precision, rounding

SCALES = (1e-6, 1.0, 1e6)
OF_LOGITS: tuple[Explainer, ...] = (
    Gradient(),
    InputTimesGradient(),
    SmoothGrad(samples=4),
    IntegratedGradients(steps=8, tolerance=float("inf")),
    GuidedBackprop(),
    LRP(epsilon=1e-12),
    GradCAM(positive=False),
    Occlusion(),
    Lime(Grid(), masks=100, output="logit"),
    RISE(masks=60, of_probability=False, centered=True),
)


class Shifted(nn.Module):
    """A network whose logits are multiplied, and have a constant added."""

    def __init__(self, scale: float = 1.0, constant: float = 0.0, kind: torch.dtype = torch.float32) -> None:
        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(3)
            self.features = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.Conv2d(6, 6, 3, padding=1))
            self.read = nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(6 * 64, 4))
        self.scale, self.constant, self.kind = scale, constant, kind

    def forward(self, x: Tensor) -> Tensor:
        return (self.scale * self.read(self.features(x)) + self.constant).to(self.kind).float()


def pictures(count: int = 3) -> Tensor:
    return images(count, 1, 8, 8).float()


def noted(explainer: Explainer, model: nn.Module) -> list[list[str]]:
    found = explainer(model.eval(), pictures(), "predicted", seed=2)
    return [[note for note in own if note.startswith("the map is") or note == HARDLY] for own in found.notes]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("explainer", OF_LOGITS, ids=lambda one: type(one).__name__)
def test_a_margin_of_any_size_is_none_of_rounding(explainer: Explainer, scale: float) -> None:
    assert noted(explainer, Shifted(scale)) == [[], [], []]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize(
    "explainer", [one for one in OF_LOGITS if not isinstance(one, LRP)], ids=lambda one: type(one).__name__
)
def test_beside_a_constant_that_swallows_it_every_map_is_rounding(explainer: Explainer, scale: float) -> None:
    """The logit's last digit is 1e3 times what all pixels could change."""
    model = Shifted(scale, constant=1e10 * scale)
    for own in noted(explainer, model):
        assert own, "nothing that is shown could be seen in the logit"
        assert own[0] in (ROUNDED, "the map is zero everywhere", "the map is the same at every pixel")


def test_a_network_that_rounds_to_three_digits_is_seen_through_its_numbers() -> None:
    inner = Shifted(constant=0.0)(pictures())
    assert precision(inner) == torch.finfo(torch.float32).eps
    assert precision(inner.bfloat16().float()) == torch.finfo(torch.bfloat16).eps
    assert precision(inner.half().float()) == torch.finfo(torch.float16).eps
    assert precision(inner.double()) < 1e-7
    assert precision(torch.tensor([[1.0, 2.0, -3.0]])) == torch.finfo(torch.float32).eps, (
        "small whole numbers tell nothing"
    )
    assert precision(torch.tensor([[500.0, 502.0, -3.0]])) == torch.finfo(torch.bfloat16).eps
    assert precision(torch.tensor([[500.0, 501.0, -3.0]])) == torch.finfo(torch.float16).eps
    of = torch.tensor([0, 1, 2])
    assert torch.equal(rounding(inner, of), 4 * torch.finfo(torch.float32).eps * inner[range(3), of].abs())


@pytest.mark.parametrize("constant", [0.0, 500.1])
def test_what_bfloat16_swallows_is_rounding_and_what_it_shows_is_none(constant: float) -> None:
    model = Shifted(constant=constant, kind=torch.bfloat16)
    expected = constant > 0
    for explainer in (Gradient(), Occlusion(), InputTimesGradient()):
        for own in noted(explainer, model):
            assert bool(own) == expected, (explainer, own)


@pytest.mark.parametrize("explainer", [Lime(Grid(), masks=100), RISE(masks=60), RISE(masks=60, centered=True)])
def test_probabilities_that_do_not_move_are_told(explainer: Explainer) -> None:
    plain = Shifted(scale=3.0)
    assert noted(explainer, plain) == [[], [], []]
    for own in noted(explainer, Shifted(scale=1e6)):  # sure of its class, whatever is shown
        if own:
            assert own[0] in (ROUNDED, HARDLY, "the map is the same at every pixel", "the map is zero everywhere")
    flat = noted(explainer, Shifted(scale=1e-7))
    assert all(own for own in flat), "every class is as likely as any, whatever is hidden"


def test_where_noise_changes_nothing_the_mean_is_the_map_itself() -> None:
    model, x = linear(pixels=64), images(3, 1, 8, 8)
    plain = "the map is the plain gradient: the noise changed nothing"
    assert SmoothGrad(samples=3)(model, x, 0).notes == ((plain,),) * 3
    assert (
        SmoothGradSquared(samples=3)(model, x, 0).notes
        == ((plain.replace("the plain", "the square of the plain"),),) * 3
    )
    assert VarGrad(samples=3)(model, x, 0).notes == (("the map is zero everywhere",),) * 3
    curved = smooth(size=8)
    assert SmoothGrad(samples=3, sigma=1e-14)(curved, x, 0).notes == ((plain,),) * 3, "noise of the last digits"
    assert SmoothGrad(samples=3, sigma=0.0)(curved, x, 0).notes == ((plain,),) * 3
    assert SmoothGrad(samples=3)(curved, x, 0).notes == ((),) * 3
    inside = Smooth(InputTimesGradient(), samples=3, sigma=0.0)(curved, x, 0)
    assert inside.notes == (("the map is that of the image alone: the noise changed nothing",),) * 3
    assert Smooth(samples=1, sigma=0.0)(curved, x, 0).notes == ((),) * 3, "of one copy nothing can be told"


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("start", ["logit", "one"])
def test_relevance_that_is_input_times_gradient_is_told(scale: float, start: str) -> None:
    """By the rule of epsilon a network of ReLUs shares out just that."""
    x, model = pictures(), Shifted(scale).eval()
    said = "the map is input times gradient: no rule changed anything in this network"
    same = LRP("epsilon", epsilon=1e-12, start="one" if start == "one" else "logit")(model, x, "predicted")
    assert same.notes == ((said,),) * 3
    if start == "logit":
        assert torch.allclose(same.map, InputTimesGradient()(model, x, "predicted").map, rtol=1e-3, atol=1e-6 * scale)
    assert LRP(epsilon=1e-12)(model, x, "predicted").notes == ((),) * 3
    assert same.flagged.tolist() == [True] * 3


def test_flags_are_recorded_beside_every_judgment() -> None:
    from pellucid import data

    digits = data.load("digits").test.take(6)
    model = linear(pixels=64, classes=10).float()
    found = judge(model, digits, {"insertion": Insertion(4)}, explainer=GuidedBackprop())["insertion"]
    assert found.columns["flagged"].tolist() == [True] * 6
    assert found.flagged == 6
    assert found.flagged_in_words == (
        "6 of 6 maps are zero, even, no more than rounding or a simpler method's, as 'pellucid explain' says of each"
    )
    plain = judge(model, digits, {"insertion": Insertion(4)}, explainer=Gradient())["insertion"]
    assert plain.flagged == 0
    assert plain.flagged_in_words == ""
    assert Explanation(torch.zeros(0, 1, 2, 2), torch.zeros(0, dtype=torch.long)).flagged.tolist() == []

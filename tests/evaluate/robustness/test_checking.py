"""Each check finds the network that was broken for it, and a healthy network passes them all."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pellucid import models
from pellucid.attacks import (
    DDN,
    FMN,
    PGD,
    Attack,
    BelowChance,
    Goal,
    Ladder,
    Misclassified,
    Nearest,
    RandomPoint,
    Square,
    Victim,
)
from pellucid.batch import Batch
from pellucid.data import load, sequential
from pellucid.errors import LabelError, MeasurementError, NotFinite, PixelError
from pellucid.evaluate.robustness.checking import verdicts
from pellucid.evaluate.robustness.checks import CHECKS, Verdict
from pellucid.looking import WITHOUT_GRADIENTS
from pellucid.norms import L1, L2, RMS, Linf
from pellucid.protocols import Norm
from pellucid.registry import describe
from pellucid.testing.specimens import Zoomed

CLASSES = tuple("0123456789")
ATTACK = PGD(eps=0.1, steps=20)


class Wrapped(nn.Module):
    """A network with something done to its input and something to its output."""

    def __init__(
        self,
        network: nn.Module,
        before: Callable[[Tensor], Tensor] = lambda x: x,
        after: Callable[[Tensor], Tensor] = lambda logits: logits,
    ) -> None:
        super().__init__()
        self.network, self.before, self.after = network, before, after
        self.passes = 0
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        self.passes += 1
        return self.after(self.network(self.before(x)))


@pytest.fixture(scope="module")
def digits() -> Batch:
    """More images than most checks look at."""
    test = load("digits").test.take(256)
    (batch,) = test.batches(sequential(test, 256))
    return batch


def failed(found: tuple[Verdict, ...]) -> dict[str, str]:
    return {verdict.check: verdict.finding for verdict in found if not verdict.passed}


def checked(model: nn.Module, batch: Batch, attack: Attack = ATTACK) -> tuple[Verdict, ...]:
    return verdicts(model, batch, classes=CLASSES, attack=attack)


def test_a_healthy_network_passes_every_check(healthy: nn.Sequential, batch: Batch) -> None:
    found = checked(healthy, batch)
    assert failed(found) == {}
    assert [verdict.check for verdict in found] == [name for name in CHECKS if name != "convergence"]
    assert {verdict.remedy for verdict in found} == {""}
    assert failed(verdicts(healthy, batch, classes=CLASSES)) == {}


@pytest.mark.parametrize(
    "attack",
    [
        ATTACK,
        PGD(eps=0.7, steps=20, norm=L2()),
        PGD(eps=0.09, steps=20, norm=RMS()),
        PGD(eps=3, steps=20, norm=L1()),
        Ladder((PGD(eps=0.05, steps=20), PGD(eps=0.1, steps=20))),
        Nearest(steps=150),  # 60 leave it so far away that it hangs on the network whether a rival beats it
    ],
    ids=["linf", "l2", "rms", "l1", "ladder", "nearest"],
)
def test_a_robust_network_passes_every_check_with_any_attack(robust: nn.Module, batch: Batch, attack: Attack) -> None:
    assert failed(checked(robust, batch, attack)) == {}


def test_batch_norm_left_in_training_mode(normalizing: nn.Sequential, batch: Batch) -> None:
    assert failed(checked(normalizing, batch)) == {}
    normalizing[2].train()
    found = failed(checked(normalizing, batch))
    normalizing.eval()
    assert set(found) == {"training-mode", "batch-dependence"}
    assert re.fullmatch(
        r"1 of 10 modules are in training mode \(BatchNorm2d\), which changes logits by up to [\d.]+",
        found["training-mode"],
    )
    assert re.fullmatch(
        r"logits of an image change by up to [\d.]+ with the rest of the batch \(as given\)",
        found["batch-dependence"],
    )


@pytest.mark.filterwarnings("ignore:this network's BatchNorm keeps no")
def test_batch_norm_without_running_statistics(normalizing: nn.Sequential, batch: Batch) -> None:
    model = nn.Sequential(*normalizing)
    model[2] = nn.BatchNorm2d(16, track_running_stats=False)
    found = failed(checked(model.eval(), batch))
    assert found["batch-dependence"].endswith("with the rest of the batch (as given and in evaluation mode)")


def test_training_mode_that_changes_nothing_is_no_failure(healthy: nn.Sequential, batch: Batch) -> None:
    healthy.train()
    found = checked(healthy, batch)
    healthy.eval()
    assert failed(found) == {}
    assert found[0].finding == "10 of 10 modules are in training mode, which changes no answer"


def test_dropout_left_on(healthy: nn.Sequential, batch: Batch) -> None:
    model = copy.deepcopy(healthy)
    model[7] = nn.Dropout(0.3).eval()
    assert failed(checked(model, batch)) == {}
    model[7].train()
    found = failed(checked(model, batch))
    assert set(found) == {"training-mode"}
    assert found["training-mode"].startswith("1 of 10 modules are in training mode (Dropout), which changes")


def test_dropout_that_evaluation_mode_does_not_switch_off(healthy: nn.Sequential, batch: Batch) -> None:
    model = Wrapped(healthy, before=lambda x: F.dropout(x, 0.3, training=True))
    found = failed(checked(model, batch))
    assert "batch-dependence" not in found
    assert {"randomness", "returned-points", "stronger-attack"} <= set(found)
    assert re.fullmatch(
        r"two passes over the same images differ by up to [\d.]+ in evaluation mode, and \d+% of the decisions",
        found["randomness"],
    )


def test_images_normalized_outside_the_network(healthy: nn.Sequential, batch: Batch) -> None:
    outside = Batch.trusted(healthy[0](batch.x), batch.y, {})
    found = failed(checked(healthy[1:], outside))
    assert set(found) == {"input-range", "returned-points"}
    assert found["input-range"] == (
        "pixels run from -0.7895 to 1.842; attacks clip to [0, 1], and budgets are in units of that range"
    )
    assert found["returned-points"] == (
        "of 64 points that the attack returned, 64 lie outside the ball, 0 outside [0, 1], "
        "and for 0 a fresh forward pass decides otherwise"
    )


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0, 255), "when pixels run from 0 to 255"),
        ((-1, 1), "when pixels run from -1 to 1"),
    ],
    ids=["bytes", "centered"],
)
def test_a_network_that_expects_images_prepared_otherwise(
    healthy: nn.Sequential, digits: Batch, ends: tuple[int, int], words: str
) -> None:
    model = Wrapped(healthy, before=lambda x: (x - ends[0]) / (ends[1] - ends[0]))
    found = {verdict.check: verdict for verdict in checked(model, digits)}
    assert not found["clean-accuracy"].passed
    assert re.fullmatch(
        r"[\d.]+% of 256 images are classified rightly(, which cannot be told from guessing among 10 classes "
        r"\(by chance alone: p = [\d.]+, binomial test\))?(: the network answers '\d' to all of them)?, "
        rf"and [\d.]+% {words} \(by chance alone: p = [\de.-]+, McNemar's exact test, 3 ways tried\)",
        found["clean-accuracy"].finding,
    )
    assert found["clean-accuracy"].remedy == (
        "the network was trained on such images: put that normalization inside it, as its first layer"
    )
    few = {verdict.check: verdict for verdict in checked(model, Batch(digits.x[:8], digits.y[:8]))}
    assert "was trained on such images" not in few["clean-accuracy"].remedy


def test_a_network_that_refuses_other_images_is_not_tried_with_them(healthy: nn.Sequential, batch: Batch) -> None:
    def strict(x: Tensor) -> Tensor:
        if x.min() < 0 or x.max() > 1:
            raise PixelError("these are no images")
        return x

    assert failed(checked(Wrapped(healthy, before=strict), batch)) == {}


def test_pixels_divided_twice(healthy: nn.Sequential, batch: Batch) -> None:
    found = {verdict.check: verdict for verdict in checked(healthy, batch.at(batch.x / 255))}
    assert found["input-range"].remedy == "were they divided by 255 twice? give pixels that fill [0, 1]"
    found = {name: verdict.finding for name, verdict in found.items()}
    assert found["input-range"] == (
        "pixels run from 0 to 0.003922, a range no wider than two steps of an 8-bit image"
    )


def test_softmax_on_top(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, after=lambda logits: logits.softmax(1)), batch))
    assert re.fullmatch(
        r"outputs are not negative and sum to 1 within [\d.e-]+: they are probabilities, as a softmax gives",
        found["probabilities"],
    )
    twice = failed(checked(Wrapped(healthy, after=lambda logits: logits.softmax(1).softmax(1)), batch))
    assert twice["probabilities"].endswith(
        "they are probabilities, as a softmax gives; what goes into it are probabilities too, as if there were two"
    )
    timid = failed(checked(Wrapped(healthy, after=lambda logits: (0.01 * logits).softmax(1)), batch))
    assert timid["probabilities"].endswith("they are probabilities, as a softmax gives")


def test_log_probabilities_are_noted(healthy: nn.Sequential, batch: Batch) -> None:
    found = checked(Wrapped(healthy, after=lambda logits: logits.log_softmax(1)), batch)
    assert failed(found) == {}
    assert "outputs are log-probabilities, which serve as logits" in {verdict.finding for verdict in found}


def test_a_quantized_input(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, before=lambda x: (x * 8).round() / 8), batch))
    assert set(found) == {"gradients", "quantized-input", "rising-loss", "absurd-budget", "stronger-attack"}
    assert found["gradients"] == (
        "the input gradient is zero for 100% of the images (cross-entropy) and 100% (margin), "
        "not finite for 0% and 0%"
    )
    assert re.fullmatch(
        r"a change of every pixel by up to 0.01/255 leaves 100% of the images with exactly the same logits, "
        r"one by up to 16/255 \d%",
        found["quantized-input"],
    )
    assert re.fullmatch(
        r"10 steps of PGD raise the loss of 0% of the images, on average from ([\d.]+) to \1; "
        r"it fell in 0 of the steps",
        found["rising-loss"],
    )
    assert re.fullmatch(
        r"with eps=1 \(every pixel free\) PGD leaves [\d.]+% of the images standing; "
        r"no network can keep more than 17.2%",
        found["absurd-budget"],
    )


def test_a_quantized_input_whose_gradient_pretends_otherwise(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, before=lambda x: x + ((x * 8).round() / 8 - x).detach()), batch))
    assert "quantized-input" in found
    assert "gradients" not in found


@pytest.mark.parametrize("scale", [100, 1000])
def test_logits_so_large_that_cross_entropy_is_flat(healthy: nn.Sequential, batch: Batch, scale: int) -> None:
    found = failed(checked(Wrapped(healthy, after=lambda logits: scale * logits), batch))
    assert set(found) == {"gradients", "saturation", "rising-loss", "absurd-budget", "stronger-attack"}
    assert re.fullmatch(
        r"the gradient of the cross-entropy has all but vanished for 100% of the images that are right "
        r"while that of the margin has not; the median gap between the first two logits is [\d.e+]+",
        found["saturation"],
    )
    assert re.fullmatch(
        r"the attack leaves [\d.]+% of the images standing within 0.1; "
        r"with others on top, margin-pgd [\d.]+%, square [\d.]+% are left",
        found["stronger-attack"],
    )


def test_a_detached_forward(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, after=lambda logits: logits.detach()), batch))
    reason = "element 0 of tensors does not require grad and does not have a grad_fn"
    assert found.pop("gradients") == (
        f"no gradient leads from the network's logits to its pixels (RuntimeError: {reason}); {WITHOUT_GRADIENTS}"
    )
    assert found == dict.fromkeys(
        ("saturation", "rising-loss", "absurd-budget", "returned-points", "stronger-attack"),
        f"could not be carried out: {reason}",
    )


def test_gradients_that_are_not_finite(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, before=lambda x: x.sqrt()), batch))  # of black pixels
    assert found["gradients"].endswith("not finite for 100% and 100%")
    json.dumps([asdict(verdict) for verdict in checked(healthy, batch)], allow_nan=False)


def test_a_constant_classifier(healthy: nn.Sequential, batch: Batch) -> None:
    found = failed(checked(Wrapped(healthy, after=lambda logits: 0 * logits - 2 + 4 * torch.eye(10)[3]), batch))
    assert set(found) == {"clean-accuracy", "gradients", "rising-loss"}
    assert found["clean-accuracy"] == (
        "6.2% of 64 images are classified rightly, which cannot be told from guessing among 10 classes "
        "(by chance alone: p = 0.89, binomial test): the network answers '3' to all of them"
    )


@pytest.mark.parametrize("count", [8, 256])
@pytest.mark.parametrize("name", ["mlp", "lenet"])
def test_an_untrained_network_is_told_no_cause(name: str, count: int, digits: Batch) -> None:
    some, guessed = Batch(digits.x[:count], digits.y[:count]), 0
    for seed in range(4):
        model = models.build(name, seed=seed, shape=(1, 8, 8), classes=10).eval()
        found = {verdict.check: verdict for verdict in checked(model, some, PGD(eps=0.05, steps=2))}
        own = found["clean-accuracy"]
        assert " ways tried)" not in own.finding
        if own.passed:  # one in a hundred does, or knows a little by chance of its weights
            continue
        guessed += 1
        assert re.fullmatch(
            rf"[\d.]+% of {count} images are classified rightly, which cannot be told from guessing among 10 classes "
            r"\(by chance alone: p = [\d.]+, binomial test\)(: the network answers '\d' to all of them)?",
            own.finding,
        )
        assert own.remedy == "check weights, the order of classes and how images are prepared; or take more images"
        for other in ("rising-loss", "absurd-budget", "saturation", "stronger-attack"):
            assert found[other].finding.endswith("of a network that cannot be told from guessing this says nothing")
    assert guessed


@pytest.mark.parametrize("count", [8, 64])
def test_networks_that_know_something_have_no_caveat(
    healthy: nn.Module, robust: nn.Module, digits: Batch, count: int
) -> None:
    for model in (healthy, robust):
        found = checked(model, Batch(digits.x[:count], digits.y[:count]), PGD(eps=0.05, steps=2))
        assert not any("guessing" in verdict.finding for verdict in found)
        assert found[4].passed


def test_chance_is_that_of_the_answers_that_were_given(healthy: nn.Module, digits: Batch) -> None:
    # nine in ten are zeros, so that one answer to all is right nine times in ten
    zeros, others = (digits.y == 0).nonzero().squeeze(1)[:27], (digits.y > 0).nonzero().squeeze(1)[:3]
    rows = torch.cat([zeros, others])
    always = Wrapped(healthy, after=lambda logits: 0 * logits + torch.eye(10)[0])
    found = failed(checked(always, Batch(digits.x[rows], digits.y[rows])))
    assert found["clean-accuracy"].startswith(
        "90.0% of 30 images are classified rightly, which cannot be told from guessing among 10 classes"
    )


def test_randomness_is_not_put_down_to_the_training_mode(healthy: nn.Sequential, batch: Batch) -> None:
    model = Wrapped(healthy, before=lambda x: F.dropout(x, 0.3, training=True))
    model.train()
    found = failed(checked(model, batch))
    model.eval()
    assert re.fullmatch(
        r"11 of 11 modules are in training mode; answers change by up to [\d.]+ from pass to pass in evaluation mode "
        "too, so whether the mode changes them cannot be told",
        found["training-mode"],
    )


def test_what_mixes_images_is_called_batch_norm_only_where_there_is_one(healthy: nn.Sequential, batch: Batch) -> None:
    model = Wrapped(healthy, after=lambda logits: logits - 3 * logits.mean(0))
    found = {verdict.check: verdict for verdict in checked(model, batch)}
    assert found["batch-dependence"].remedy == (
        "an attacked image is helped or harmed by its neighbors: look in the network for what mixes images, such as "
        "a mean over the first dimension"
    )


def test_half_precision_rounds_and_does_not_mix_images(healthy: nn.Sequential, batch: Batch) -> None:
    model = copy.deepcopy(healthy).bfloat16()
    with pytest.warns(UserWarning, match="bfloat16"):
        found = failed(checked(Wrapped(model, before=lambda x: x.bfloat16(), after=lambda z: z.float()), batch))
    assert "batch-dependence" not in found


@pytest.mark.parametrize("value", [0.0, 0.5])
def test_flat_images_were_not_divided_twice(healthy: nn.Sequential, batch: Batch, value: float) -> None:
    found = {verdict.check: verdict for verdict in checked(healthy, batch.at(torch.full_like(batch.x, value)))}
    assert found["input-range"].remedy == "give pixels that fill [0, 1]"


def test_where_no_image_is_right_none_is_saturated(healthy: nn.Sequential, batch: Batch) -> None:
    wrong = Batch(batch.x, (healthy(batch.x).argmax(1) + 1) % 10)
    found = {verdict.check: verdict for verdict in checked(healthy, wrong)}
    assert found["saturation"].finding == (
        "no image is right and has a gradient that could vanish; of a network that cannot be told from guessing this "
        "says nothing"
    )


@pytest.mark.parametrize("attack", [RandomPoint(eps=0.1), Square(eps=0.1, queries=5)], ids=["random-point", "square"])
def test_a_weak_attack_is_beaten(healthy: nn.Sequential, batch: Batch, attack: Attack) -> None:
    assert set(failed(checked(healthy, batch, attack))) == {"stronger-attack"}


def converged(model: nn.Module, batch: Batch, attack: Attack) -> Verdict:
    some = Batch(batch.x[:8], batch.y[:8])
    (verdict,) = verdicts(model, some, classes=CLASSES, attack=attack, checks=("convergence",))
    return verdict


@pytest.mark.parametrize("goal", [Misclassified(), BelowChance()], ids=repr)
@pytest.mark.parametrize("kind", [FMN, DDN])
def test_searches_converge_whatever_the_scale(
    healthy: nn.Module, batch: Batch, kind: type[FMN | DDN], goal: Goal
) -> None:
    for model in (healthy, Zoomed(healthy, batch.x[:8], 100).eval()):
        verdict = converged(model, batch, kind(steps=50, norm=RMS(), goal=goal))
        assert verdict.passed, verdict.finding
        assert verdict.evidence["images"] == 8 and verdict.evidence["steps"] == 200


@pytest.mark.parametrize(
    ("attack", "declared"),
    [
        (
            FMN(steps=10, step=2.0, published=True, norm=RMS()),
            "its first step is 2 long in L2, whatever the network",
        ),
        (
            DDN(steps=30, published=True, norm=RMS()),
            "its first radius and step are 1 and 1 long in L2, whatever the network",
        ),
        (
            Nearest(steps=60),
            "its steps add up to 20 in RMS, whatever the network: set trajectory to a few distances",
        ),
    ],
    ids=["fmn", "ddn", "walk"],
)
def test_steps_far_longer_than_distances_do_not_converge(
    healthy: nn.Module, batch: Batch, attack: Attack, declared: str
) -> None:
    verdict = converged(Zoomed(healthy, batch.x[:8], 100).eval(), batch, attack)
    assert not verdict.passed
    assert re.fullmatch(
        r"the area over 8 images is [\d.]+, and [\d.e-]+ where \d+ smaller steps of FMN go on looking: \d\d% less",
        verdict.finding,
    )
    assert verdict.evidence["fall"] == 1 - verdict.evidence["longer"] / verdict.evidence["area"] > 0.1
    assert verdict.remedy == (
        "distances and areas are too large: give the search more steps (--set steps=..., in an audit "
        f"--set robustness.nearest_steps=...), or take the nearest of several (--attack fmn,ddn); {declared}"
    )


def test_where_nothing_is_found_nothing_converges(healthy: nn.Module, batch: Batch) -> None:
    constant = Wrapped(healthy, after=lambda logits: 0 * logits + 4 * torch.eye(10)[3])
    right = Batch(batch.x[:4], torch.full((4,), 3))
    (verdict,) = verdicts(constant, right, classes=CLASSES, attack=FMN(steps=10), checks=("convergence",))
    assert verdict.finding == "neither the attack nor 200 steps of FMN find a failure of any of 4 images"
    assert not verdict.passed
    assert verdict.remedy == "no network withstands any change: see to the other failed checks first"
    wrong = Batch(batch.x[:4], torch.full((4,), 2))
    (verdict,) = verdicts(constant, wrong, classes=CLASSES, attack=FMN(steps=10), checks=("convergence",))
    assert verdict.passed and verdict.evidence["area"] == 0


@dataclass(frozen=True)
class Escaping(Attack):
    """Leaves ball and box."""

    norm: Norm = field(default_factory=Linf)
    goal: Goal = field(default_factory=Misclassified)

    @property
    def budget(self) -> float:
        return 0.1

    @property
    def clips(self) -> bool:
        return False

    @property
    def settles(self) -> bool:
        return False

    def search(self, victim: Victim) -> Tensor:
        return victim.x + 0.5


def test_an_attack_that_breaks_its_promises(robust: nn.Module, batch: Batch) -> None:
    found = failed(checked(robust, batch, Escaping()))
    assert found["returned-points"] == (
        "of 64 points that the attack returned, 64 lie outside the ball, 64 outside [0, 1], "
        "and for 0 a fresh forward pass decides otherwise"
    )


def test_the_same_seed_gives_the_same_verdicts_and_leaves_no_trace(normalizing: nn.Sequential, batch: Batch) -> None:
    model = copy.deepcopy(normalizing).train()
    model[7] = nn.Dropout(0.3)
    model[0].eval()
    model[8].weight.requires_grad_(False)
    model[8].bias.grad = torch.ones(10)
    modes = [module.training for module in model.modules()]
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(1)
    drawn = torch.random.get_rng_state()
    first = checked(model, batch)
    assert torch.equal(torch.random.get_rng_state(), drawn)
    torch.manual_seed(2)
    assert checked(model, batch) == first
    assert [module.training for module in model.modules()] == modes
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert [parameter.requires_grad for parameter in model.parameters()].count(False) == 1
    assert model[8].bias.grad.tolist() == [1.0] * 10
    assert verdicts(model, batch, classes=CLASSES, attack=ATTACK, seed=1) != first


def test_what_it_costs(robust: nn.Module) -> None:
    images = load("digits").train.take(200)
    (many,) = images.batches(sequential(images, 200))
    sizes: list[int] = []

    def watched(x: Tensor) -> Tensor:
        sizes.append(len(x))
        return x

    checked(Wrapped(robust, before=watched), many)
    assert max(sizes) == 64
    assert len(sizes) < 160


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_few_images_will_do(robust: nn.Module, batch: Batch, count: int) -> None:
    few = Batch(batch.x[:count], batch.y[:count])
    assert set(failed(checked(robust, few))) <= {"clean-accuracy"}


def test_images_in_color_and_double_precision() -> None:
    torch.manual_seed(0)
    layer = nn.Linear(48, 5)
    layer.bias.data = -0.5 * layer.weight.data.sum(1)  # so that no class is answered to nearly all
    model = nn.Sequential(nn.Flatten(), layer).double()
    x = torch.rand(20, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = verdicts(model, Batch(x, model(x).argmax(1)), classes=("a", "b", "c", "d", "e"), attack=ATTACK)
    assert failed(found) == {}


def test_refusals(healthy: nn.Sequential, batch: Batch) -> None:
    message = "this batch has no images; check a network on one or more"
    with pytest.raises(MeasurementError, match=f"^{re.escape(message)}$"):
        checked(healthy, Batch(batch.x[:0], batch.y[:0]))
    with pytest.raises(LabelError, match=r"^this batch has the label 10 and 10 classes; labels run from 0 to 9$"):
        checked(healthy, Batch(batch.x, batch.y + 1))
    with pytest.raises(NotFinite, match=r"^the network's logits are NaN or infinite for 64 of 64 images; "):
        checked(Wrapped(healthy, after=lambda logits: logits / 0 * 0), batch)


@pytest.mark.parametrize("name", CHECKS)
def test_every_check_says_what_it_expects(name: str) -> None:
    assert re.fullmatch(r"[A-Z].*\.", describe(CHECKS[name]))


def test_no_more_images_go_back_at_once_than_there_is_room_for(
    healthy: nn.Sequential, batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> list[tuple[str, bool]]:
        found = verdicts(healthy, batch, classes=CLASSES, attack=PGD(eps=0.1, steps=3))
        return [(verdict.check, verdict.passed) for verdict in found]

    whole, most = said(), list[int]()

    def pass_by(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled() and inputs[0].requires_grad:
            most.append(len(inputs[0]))

    handle = healthy.register_forward_pre_hook(pass_by)
    said()
    assert max(most) == len(batch)
    most.clear()

    def five(_model: nn.Module, _x: Tensor) -> int:
        return 5

    monkeypatch.setattr("pellucid.evaluate.robustness.checks.case.rows_at_once", five)
    assert said() == whole
    assert max(most) == 5 < len(batch)
    handle.remove()

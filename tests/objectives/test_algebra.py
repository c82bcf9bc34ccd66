import math
import re
from dataclasses import dataclass

import pytest
import torch

from networks import images, smooth
from pellucid import config
from pellucid.batch import Batch
from pellucid.errors import ConfigError, UnknownName
from pellucid.objectives import Adaptive, CrossEntropy, GradientNorm, JacobianNorm, Objective, Ramp, Term, Weighted
from pellucid.probe import Moment, Probe

A, B, C = CrossEntropy(), GradientNorm(), JacobianNorm()
X = images(4, 1, 6, 6)
Y = torch.tensor([0, 1, 2, 3])
NETWORK = smooth()


def at(progress: float = 1.0) -> Probe:
    return Probe(NETWORK, Batch(X, Y), moment=Moment(progress))


def test_objectives_are_a_commutative_flat_sum() -> None:
    assert torch.allclose((A + 2 * B)(at()), (B * 2 + A)(at()))
    assert (A + (B + C)).terms == ((A + B) + C).terms
    assert torch.allclose((3 * (A + 2 * B))(at()), 3 * A(at()) + 6 * B(at()))
    assert [part.weight for part in (3 * (A + 2 * B)).terms] == [3.0, 6.0]


def test_terms_are_named_by_kind_and_number() -> None:
    assert (A + B + B + C + B).names == (
        "cross-entropy",
        "gradient-norm",
        "gradient-norm-2",
        "jacobian-norm",
        "gradient-norm-3",
    )


@dataclass(frozen=True)
class LogitSize(Term):
    """A term that no registry lists."""

    def __call__(self, probe: Probe) -> torch.Tensor:
        return probe.logits.square().mean()


def test_a_term_of_one_s_own_needs_no_registry_until_it_is_written_down() -> None:
    objective = A + 0.5 * LogitSize()
    assert objective.names == ("cross-entropy", "logit-size")
    assert float(objective(at()).detach()) > float(A(at()).detach())
    with pytest.raises(UnknownName, match=r"LogitSize'> is not registered as a term"):
        config.dump(objective)


def test_losses_say_each_value_before_its_weight() -> None:
    losses = (A + 0.5 * B).losses(at())
    assert torch.allclose(losses.total, losses.values["cross-entropy"] + 0.5 * losses.values["gradient-norm"])
    assert losses.weights == {"cross-entropy": 1.0, "gradient-norm": 0.5}


def test_a_ramp_rises_in_a_straight_line() -> None:
    ramp = Ramp(2.0, start=1.0, over=0.5)
    assert [ramp.at(progress) for progress in (0, 0.25, 0.5, 1)] == [1.0, 1.5, 2.0, 2.0]
    assert torch.allclose((A + ramp * B)(at(0.25)), A(at()) + 1.5 * B(at()))
    assert (2 * (ramp * B)).terms[0].weight == Ramp(4.0, start=2.0, over=0.5)


def test_the_adaptive_weight_follows_its_published_trace() -> None:
    weight = Adaptive()
    growth = [float(weight.step(torch.tensor(0.75, dtype=torch.float64))) for _ in range(3)]
    assert float(weight.integral) == pytest.approx(3 * math.log(2))
    assert growth[1] / growth[0] == pytest.approx(1.01396, abs=1e-5)
    weight.step(torch.tensor(3.0))
    assert float(weight.integral) == pytest.approx(3 * math.log(2) - 0.01, abs=1e-6)
    weight.step(torch.tensor(0.1))  # more than e below the level: clipped to 1
    assert float(weight.integral) == pytest.approx(3 * math.log(2) + 0.99, abs=1e-6)
    rested = Adaptive()
    assert float(rested.step(torch.tensor(3.0))) == 220
    assert 220 * math.exp(0.02 * 208.51202297) == pytest.approx(14240.8, abs=0.1)


def test_an_adaptive_weight_watches_a_term_by_name() -> None:
    objective = A + Adaptive(level=1.0, start=2.0, gain=0.5) * B
    losses = objective.losses(at())
    expected = 2.0 * math.exp(0.5 * max(0.0, min(1.0, max(-0.01, -math.log(losses.values["cross-entropy"].item())))))
    assert float(losses.weights["gradient-norm"]) == pytest.approx(expected)
    message = (
        "an adaptive weight watches 'cross-entrop', which is no term of this objective "
        "(there are: cross-entropy, gradient-norm)"
    )
    with pytest.raises(ConfigError, match=re.escape(message)):
        (A + Adaptive(watch="cross-entrop") * B).losses(at())


def test_objectives_read_back_from_their_settings() -> None:
    objective = A + Ramp(0.5) * B + 2 * GradientNorm(of="loss") + 0.25 * C
    tables = config.dump(objective)
    assert list(tables) == ["cross-entropy", "gradient-norm", "gradient-norm-2", "jacobian-norm"]
    assert tables["gradient-norm-2"] == {
        "weight": 2.0,
        "kind": "gradient-norm",
        "of": "loss",
        "reduction": "rms",
        "norm": "l2",
        "units": "pixels",
    }
    assert config.build(Objective, tables) == objective
    adaptive = config.build(Objective, config.dump(A + Adaptive(start=7.0) * B))
    weight = adaptive.terms[1].weight
    assert isinstance(weight, Adaptive) and weight.start == 7.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, "objective has no terms; an objective needs at least one"),
        ({"cross-entropy": 1.0}, "objective.cross-entropy is 1.0; expected a table of settings such as weight = 1.0"),
        (
            {"cross-entropi": {}},
            "there is no setting 'objective.cross-entropi.weight' (did you mean 'objective.cross-entropy.weight'?)",
        ),
        (
            {"cross-entropy": {"weight": "much"}},
            "objective.cross-entropy.weight is \"much\"; expected a number or a table of kind 'ramp' "
            "or a table of kind 'adaptive'",
        ),
        (
            {"gradient-norm": {"off": "loss"}},
            "there is no setting 'objective.gradient-norm.off' (did you mean 'objective.gradient-norm.of'?)",
        ),
        (
            {"gradient-norm": {"of": "logit"}},
            "objective.gradient-norm.of is \"logit\" (did you mean 'label-logit'?)",
        ),
        (
            {"jacobian-norm": {"projections": "some"}},
            'objective.jacobian-norm.projections is "some"; expected a whole number or "all"',
        ),
    ],
)
def test_bad_settings_are_told_with_their_place(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.build_as(Objective, table, "objective")
    assert str(caught.value) == message


def test_impossible_weights_are_refused() -> None:
    with pytest.raises(ConfigError, match="two changing weights cannot be multiplied; give each term one of them"):
        _ = Ramp(1.0) * (Ramp(1.0) * A)
    with pytest.raises(
        ConfigError, match=re.escape("over is 0; it is the part of training that the ramp takes, in (0, 1]")
    ):
        Ramp(1.0, over=0)
    with pytest.raises(ConfigError, match="level is 0; an adaptive weight needs it above 0"):
        Adaptive(level=0)


def test_a_lone_term_is_an_objective_of_weight_one() -> None:
    assert Objective.of(A).terms == (Weighted(1.0, A),)

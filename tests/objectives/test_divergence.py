import re

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import pellucid
from networks import images, smooth
from pellucid import config, models
from pellucid.attacks import PGD, GaussianNoise, HighestLoss
from pellucid.batch import Batch
from pellucid.errors import ConfigError
from pellucid.objectives import Attacked, BoostedCrossEntropy, CrossEntropy, Divergence, Objective, Term
from pellucid.probe import Probe
from pellucid.train import Recipe

X, Y = images(6, 1, 6, 6), torch.tensor([0, 1, 2, 3, 0, 1])
PLACE = Attacked(PGD(eps=0.1, steps=2), towards="divergence")
# finite differences must look at the same images, so nothing of the search may follow from the weights
FIXED = Attacked(GaussianNoise(sigma=0.1))
TERMS: list[Term] = [
    Divergence(FIXED),
    Divergence(FIXED, weigh="misclassified"),
    BoostedCrossEntropy(),
]


def look(network: nn.Module) -> Probe:
    return Probe(network, Batch(X, Y), second_order=False, seed=5)


def test_divergences_are_those_of_torch() -> None:
    network = smooth()
    probe = look(network)
    clean, attacked = network(X), network(PLACE.probe(probe).x)
    each = F.kl_div(attacked.log_softmax(1), clean.softmax(1), reduction="none").sum(1)
    assert float(each.min().detach()) > 0
    assert torch.allclose(Divergence(PLACE)(probe), each.mean())
    trust = clean.softmax(1).gather(1, Y[:, None]).squeeze(1)
    assert torch.allclose(Divergence(PLACE, weigh="misclassified")(probe), (each * (1 - trust)).mean())


def test_images_that_stay_where_they_are_answer_alike() -> None:
    still = Attacked(PGD(eps=1e-12, steps=1, start="here", goal=HighestLoss()))
    assert float(Divergence(still)(look(smooth())).detach()) == pytest.approx(0, abs=1e-15)
    assert float(Divergence(still, weigh="misclassified")(look(smooth())).detach()) == pytest.approx(0, abs=1e-15)


def test_the_boosted_cross_entropy_is_the_formula() -> None:
    network = smooth()
    p = network(X).softmax(1)
    own = p.gather(1, Y[:, None]).squeeze(1)
    rival = p.masked_fill(F.one_hot(Y, 4).bool(), 0).amax(1)
    assert torch.allclose(BoostedCrossEntropy()(look(network)), (-own.log() - (1 - rival).log()).mean())


def test_the_boosted_cross_entropy_stays_finite_where_the_network_is_certain_and_wrong() -> None:
    network = nn.Flatten()
    x = torch.tensor([[[[1.0, 0.0, 0.0]]]])
    logits = 400 * x.flatten(1)

    class Loud(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 400 * network(x)

    probe = Probe(Loud(), Batch(x, torch.tensor([1])), second_order=False)
    value = BoostedCrossEntropy()(probe)
    # of the rival's probability, which rounds to 1, two others each keep exp(-400)
    assert float(value.detach()) == pytest.approx(400 + 400 - float(torch.tensor(2.0).log()))
    assert float((1 - logits.softmax(1).amax()).log()) == -torch.inf


@pytest.mark.parametrize("term", TERMS, ids=repr)
def test_the_gradient_for_the_parameters_is_right(term: Term) -> None:
    network = smooth()
    names = [name for name, _ in network.named_parameters()]

    def value(*tensors: Tensor) -> Tensor:
        class Bound(nn.Module):
            def forward(self, x: Tensor) -> Tensor:
                return torch.func.functional_call(network, dict(zip(names, tensors, strict=True)), (x,))

        return term(look(Bound()))

    parameters = tuple(parameter.detach().requires_grad_() for parameter in network.parameters())
    assert torch.autograd.gradcheck(value, parameters, eps=1e-6, atol=1e-6, rtol=1e-4, fast_mode=True)


@pytest.mark.parametrize("term", [*TERMS, Divergence(PLACE)], ids=repr)
def test_a_term_reads_back_from_its_settings(term: Term) -> None:
    assert config.build(Term, config.dump(term)) == term
    objective = term.at(PLACE) + 6.0 * Divergence(PLACE)
    assert config.build(Objective, config.dump(objective)) == objective


def test_it_shares_the_search_and_the_pass_of_terms_at_the_same_place() -> None:
    probe = look(smooth())
    (BoostedCrossEntropy().at(PLACE) + 5.0 * Divergence(PLACE, weigh="misclassified"))(probe)
    assert probe.forwards == 1 and PLACE.probe(probe).forwards == 1


def test_a_search_for_divergence_that_starts_without_slope_is_refused() -> None:
    message = "PGD has start='here', where the divergence has no slope; start in the ball"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Attacked(PGD(start="here"), towards="divergence")


def test_trades_of_weight_zero_is_standard_training() -> None:
    split = pellucid.data.load("digits").train.take(200)
    weights: list[list[Tensor]] = []
    for objective in (CrossEntropy() + 0.0 * CrossEntropy(), CrossEntropy() + 0.0 * Divergence(PLACE)):
        # dropout too: the clean pass draws first, the attacked one afterwards
        network = models.build("simple-cnn", shape=(1, 8, 8))
        list(pellucid.fit(network, split, objective, Recipe(epochs=1, batch=50)))
        weights.append([tensor.clone() for tensor in network.state_dict().values()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))

"""What training does to neurons, on digits: orders that hold for every seed, with room to spare."""

from collections.abc import Callable
from typing import Any

import pytest
from torch import nn

from pellucid.attacks import PGD, LowestLoss
from pellucid.data import Split
from pellucid.evaluate.neurons import Probing, examine, findings
from pellucid.ledger import Job
from pellucid.metrics.neurons import Reading
from seeds import SEEDS

ATTACK = PGD(eps=0.2, steps=20, goal=LowestLoss())


@pytest.mark.parametrize("seed", SEEDS)
def test_features_held_under_attack_stay_with_the_content(
    seed: int, trained: Callable[[int], tuple[nn.Module, nn.Module, Split]]
) -> None:
    plain_network, consistent_network, test = trained(seed)
    plain, consistent = _figures(plain_network, test), _figures(consistent_network, test)
    assert plain["accuracy"] - consistent["accuracy"] <= 0.02
    assert plain["all"]["r_mean"]["value"] > 1.5, "attacked images lie nearer to where they were led"
    assert consistent["all"]["r_mean"]["value"] < 1.1, "and about between the two"
    assert consistent["all"]["content"]["value"] > plain["all"]["content"]["value"] + 0.1
    assert plain["all"]["difference"]["value"] < -0.08 < 0.0 < consistent["all"]["difference"]["value"]
    assert plain["all"]["r_inst"]["value"] > consistent["all"]["r_inst"]["value"] + 0.5
    # of those that an attack did lead away, both tell, and training tells less
    assert plain["succeeded"]["r_mean"]["value"] > consistent["succeeded"]["r_mean"]["value"] > 1.1
    assert plain["succeeded"]["succeeded"] > 1.5 * consistent["succeeded"]["succeeded"]
    for figures in (plain, consistent):
        level = figures["all"]
        assert level["beyond"]["low"] > 0.8 and 0.35 < level["identity"]["value"] < 0.6
        assert level["identity_chance"] == pytest.approx(0.1)


def _figures(model: nn.Module, test: Split) -> dict[str, Any]:
    probing = Probing(("activation2",), attack=ATTACK, targets=1, traced=0)
    examined = examine(model, test, probing, job=Job(len(test)))
    columns, how = examined.activations.columns, Reading(share=0.05, draws=60)
    (succeeded,), (all_of_them,) = (findings(examined, how=how, which=which) for which in ("succeeded", "all"))
    accuracy = float((columns["predicted"] == columns["y"]).double().mean())
    return {"accuracy": accuracy, "succeeded": succeeded.content(), "all": all_of_them.content()}

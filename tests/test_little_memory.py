"""Long works where memory does not suffice for a batch: a process that may have little more than it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,  # each is a process of its own, which imports torch
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="what a process has is read where Linux has it"),
]

# One look at 32 images keeps 64 MiB at once, and one at a single image 2 MiB.
_PREPARED = """
import resource, sys, tempfile
from pathlib import Path
import torch
from torch import nn
from pellucid import attacks, evaluate, explainers
from pellucid.data import TensorSplit
from pellucid.evaluate.explanations import Insertion, judge
from pellucid.evaluate.neurons import Probing, examine
from pellucid.explainers import NormLime
from pellucid.explainers.lime import Grid, Lime
from pellucid.data import Data
from pellucid.evaluate.retrain import Design, retrain
from pellucid.evaluate.retrain.explained import ByExplainer
from pellucid.evaluate.retrain.random_order import Random
from pellucid.ledger import Job
from pellucid.train import Recipe
from pellucid.train.references import make

torch.set_num_threads(1)
torch.manual_seed(0)

class Wide(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolution, self.last = nn.Conv2d(1, 128, 3, padding=1), nn.Linear(128, 3)

    def forward(self, x):
        sizes.append(len(x))
        return self.last(torch.relu(self.convolution(x)).mean((2, 3)))

sizes, network = [], Wide().eval()
split = TensorSplit(torch.rand(32, 1, 64, 64), torch.zeros(32).long(), ("a", "b", "c"))
pgd = attacks.PGD(eps=0.1, steps=2)
lime = NormLime(Lime(Grid(2, 2), masks=40))

def checked(some, batch):
    (whole,) = some.batches([torch.arange(len(some))])
    attack = attacks.PGD(eps=0.1, steps=2)
    found = evaluate.verdicts(network, whole, classes=some.classes, attack=attack, checks=CHECKED)
    assert not any(one.finding.startswith("could not be carried out") for one in found), found
    return {one.check: torch.tensor([float(one.passed), *map(float, one.evidence.values())]) for one in found}


def retrained(some, batch):
    some = some if len(some) > 1 else split.take(2)  # fewer train nobody
    recipe, rankings = Recipe(epochs=1, batch=2), {"gradient": ByExplainer(explainers.Gradient()), "random": Random()}
    return retrain(
        network, lambda _: Wide(), Data("noise", some, some), rankings, recipe, Path(tempfile.mkdtemp()),
        design=Design(("kar",), (0.5,), seeds=2), job=Job(min(batch, 4)),
    ).columns

CHECKED = (
    "training-mode", "randomness", "batch-dependence", "input-range", "clean-accuracy", "probabilities", "gradients",
    "saturation", "quantized-input", "rising-loss", "absurd-budget", "returned-points", "stronger-attack",
)
works = {
    "measure": lambda some, batch: evaluate.measure(network, some, pgd, job=Job(batch)).columns,
    "decide": lambda some, batch: evaluate.decide(network, some, batch=batch).columns,
    "judge": lambda some, batch: judge(
        network, some, {"insertion": Insertion(steps=4)}, explainer=explainers.Gradient(), job=Job(batch)
    )["insertion"].columns,
    "neurons": lambda some, batch: examine(
        network, some, Probing(("convolution",), traced=0), job=Job(batch)
    ).activations.columns,
    "references": lambda some, batch: {
        "maps": make(network, some, explainers.Gradient(), Path(tempfile.mkdtemp()), job=Job(batch))
    },
    "normlime": lambda some, batch: next(
        iter(evaluate.explain_split(network, some, lime, Path(tempfile.mkdtemp()), job=Job(batch)).chunks())
    ),
    "checks": checked,
    "retrain": retrained,
    "explain": lambda some, batch: {"map": explainers.Gradient().on(network, next(iter(some.batches(
        [torch.arange(len(some))]))), "predicted").map},
}
work = works[sys.argv[1]]
work(split.take(1), 1)  # what is made at the first call is there

def limit(more):
    has = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (has + more, resource.RLIM_INFINITY))
"""
_HALVED = """
sizes.clear()
limit((64 if sys.argv[1] in ("retrain", "checks") else 44) * 2**20)
found = work(split, 32)
assert min(sizes) < max(sizes), sizes
resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
wanted = work(split, 2 if sys.argv[1] != "normlime" else 32)
if sys.argv[1] == "references":  # which are read by mapping a file into memory, where there is some
    found, wanted = ({"maps": one["maps"].load()} for one in (found, wanted))
for name in wanted:
    if name not in ("forwards", "backwards"):  # which are averages over the images of a chunk
        assert torch.allclose(found[name].double(), wanted[name].double(), rtol=1e-4, atol=1e-6), name
print("the same")
"""
_ALONE = """
from pellucid.errors import NoRoom
large = TensorSplit(torch.rand(2, 1, 512, 512), torch.zeros(2).long(), ("a", "b", "c"))
limit((64 if sys.argv[1] == "retrain" else 44) * 2**20)
try:
    work(large, 2)
except NoRoom as error:
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)
    assert chr(10) not in str(error)
    print(error)
"""


# What is freed goes back to the system at once. As it comes, glibc keeps what was freed in pieces, at times in too
# small ones, so that whether an image fits would depend on how the pieces fell.
_GIVEN_BACK = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def carried_out(work: str, script: str) -> str:
    found = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _PREPARED + script, work],
        env=os.environ | _GIVEN_BACK,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


WORKS = ["measure", "decide", "judge", "neurons", "references", "checks", "retrain", "explain"]


@pytest.mark.parametrize("work", [*WORKS, "normlime"])
def test_what_does_not_fit_at_once_is_done_by_halves(work: str) -> None:
    assert carried_out(work, _HALVED) == "the same"


@pytest.mark.parametrize("work", WORKS)
def test_a_single_image_that_does_not_fit_is_one_line(work: str) -> None:
    assert carried_out(work, _ALONE).startswith("memory does not suffice for a single image (")

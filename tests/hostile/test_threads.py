"""Several threads that use one network at once."""

import functools
import itertools
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from networks import images
from pellucid import evaluate, hooks, models
from pellucid.attacks import FMN, PGD, Engine
from pellucid.batch import Batch
from pellucid.data import TensorSplit
from pellucid.errors import NetworkBusy
from pellucid.evaluate.explanations import CascadingRandomization, Insertion
from pellucid.evaluate.neurons import activations
from pellucid.evaluate.robustness.checks.case import Case
from pellucid.explainers import LRP, GradCAM, Gradient, NormLime, SmoothGrad
from pellucid.explainers.lime import Grid, Lime
from pellucid.ledger import Job
from pellucid.models import swapped
from pellucid.probe import evaluated, frozen, parameters_at_rest
from pellucid.train.references import make

CLASSES = ("ant", "bee", "cat", "dog")
Work = Callable[[nn.Module], Any]


def network() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        norm = nn.BatchNorm2d(3)
        norm.running_mean = torch.rand(3)
        return nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1), norm, nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(108, 4)
        )


@functools.cache  # networks are drawn here by seeding what all threads draw from
def batch() -> Batch:
    x = images(8, 1, 6, 6).float()
    return Batch(x, network().eval()(x).argmax(1))


def split() -> TensorSplit:
    return TensorSplit(batch().x, batch().y, CLASSES)


def state(model: nn.Module) -> list[Any]:
    found: list[Any] = [module.training for module in model.modules()]
    found += [(one.requires_grad, one.grad) for one in model.parameters()]
    found += [tensor.tolist() for tensor in model.state_dict().values()]
    return [
        *found,
        [len(vars(module)["_forward_hooks"]) + len(vars(module)["_forward_pre_hooks"]) for module in model.modules()],
    ]


def together(*work: Callable[[], Any]) -> list[Any]:
    """What each comes to in a thread of its own, all begun at once and taking turns as often as can be."""
    found: list[Any] = [None] * len(work)
    barrier, interval = threading.Barrier(len(work)), sys.getswitchinterval()

    def run(number: int) -> None:
        barrier.wait()
        try:
            found[number] = work[number]()
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(work))]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    return found


def elsewhere(work: Callable[[], Any]) -> Any:
    (found,) = together(work)
    return found


def importance(model: nn.Module) -> list[Any]:
    """What explanations come to, each thread in a folder of its own: two would not work in one."""
    with TemporaryDirectory() as folder:
        lime = NormLime(Lime(Grid(2, 2), masks=20))
        chunks = list(evaluate.explain_split(model, split(), lime, Path(folder), job=Job(3)).chunks())
        assert len(chunks) == 3
        return chunks


def maps(model: nn.Module) -> Tensor:
    """Maps of all images, made in a folder of their own."""
    with TemporaryDirectory() as folder:
        return make(model, split(), SmoothGrad(samples=3), Path(folder), job=Job(3)).load().clone()


WORK: dict[str, Work] = {
    "measure": lambda model: evaluate.measure(model, split(), PGD(eps=0.1, steps=4), job=Job(4)).columns,
    "nearest": lambda model: evaluate.measure(model, split(), FMN(steps=6), job=Job(4)).columns,
    "decide": lambda model: evaluate.decide(model, split(), batch=3).columns,
    "gradient": lambda model: SmoothGrad(samples=3).on(model, batch(), "predicted").map,
    "grad-cam": lambda model: GradCAM().on(model, batch(), "predicted").map,
    "lrp": lambda model: LRP().on(model, batch(), "predicted").map,
    "judge": lambda model: Insertion().on(model, batch(), explainer=Gradient()).value,
    "cascading": lambda model: CascadingRandomization().on(model, batch(), explainer=Gradient()).value,
    "neurons": lambda model: activations(model, split(), ("2",), job=Job(4)).columns,
    "normlime": importance,
    "references": maps,
    "verdicts": lambda model: [
        (one.check, one.passed, one.finding)
        for one in evaluate.verdicts(model, batch(), classes=CLASSES, attack=PGD(eps=0.1, steps=2))
    ],
}


def graph(model: nn.Module) -> Tensor:
    found = Gradient()(model, batch().x, "predicted", create_graph=True).map
    return found.detach()


def equal(one: Any, other: Any) -> bool:
    if isinstance(one, Exception) or isinstance(other, Exception):
        raise one if isinstance(one, Exception) else other
    if isinstance(one, Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return one == other


@pytest.mark.parametrize("name", WORK)
def test_four_threads_find_what_one_does(name: str) -> None:
    batch()
    expected, model = WORK[name](network()), network()
    before = state(model)
    for found in together(*[lambda: WORK[name](model)] * 4):
        assert equal(found, expected)
    assert state(model) == before


@pytest.mark.slow
def test_threads_that_ask_different_things_find_what_each_does_alone() -> None:
    model = network().eval()
    before = state(model)
    alone = {name: WORK[name](network().eval()) for name in WORK}
    for _ in range(3):
        for name, found in zip(alone, together(*(lambda n=name: WORK[n](model) for name in alone)), strict=True):
            assert equal(found, alone[name]), name
    assert state(model) == before


def test_a_network_and_a_part_of_it_are_measured_at_once() -> None:
    model = network()
    whole = nn.Sequential(model, nn.Identity())
    before = state(whole)
    expected = WORK["measure"](network())
    works = [lambda: WORK["measure"](model), lambda: WORK["measure"](whole)] * 2
    for found in together(*works):
        assert equal(found, expected)
    assert state(whole) == before


CONTEXTS: dict[str, Callable[[nn.Module], AbstractContextManager[object]]] = {
    "frozen": frozen,
    "evaluated": evaluated,
    "parameters at rest": parameters_at_rest,
    "other activations": lambda model: swapped(model, "softplus"),
}


@pytest.mark.parametrize(("one", "other"), list(itertools.product(CONTEXTS, CONTEXTS)))
@pytest.mark.parametrize("first", [True, False], ids=["first in, first out", "last in, first out"])
def test_whoever_leaves_last_leaves_it_as_it_was(one: str, other: str, first: bool) -> None:
    model = network()
    before = state(model)
    contexts = [CONTEXTS[one](model), CONTEXTS[other](nn.Sequential(model))]
    if "other activations" in (one, other) and first:
        return  # modules go back where they were taken from in turn only
    for context in contexts:
        context.__enter__()
    for context in contexts if first else reversed(contexts):
        context.__exit__(None, None, None)
    assert state(model) == before


def test_it_stays_frozen_until_the_last_one_leaves() -> None:
    model = network()
    one, other = frozen(model), frozen(model)
    one.__enter__()

    def enter() -> None:
        other.__enter__()

    def leave() -> None:
        other.__exit__(None, None, None)

    elsewhere(enter)
    one.__exit__(None, None, None)
    assert not any(module.training for module in model.modules())
    assert not any(parameter.requires_grad for parameter in model.parameters())
    leave()
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_an_error_in_between_lets_go_of_its_own_hold_alone() -> None:
    model = network()
    before = state(model)

    def fail() -> None:
        with frozen(model):
            raise ValueError("out of luck")

    with frozen(model):
        assert isinstance(elsewhere(fail), ValueError)
        assert not any(module.training for module in model.modules())
    assert state(model) == before


class CountingCalls(nn.Module):
    """A network that counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()
        self.calls = nn.Buffer(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return self.network(x)


def test_buffers_are_put_back_to_what_the_first_one_found() -> None:
    model = CountingCalls()
    one, other = frozen(model), frozen(model)
    with ExitStack() as stack:
        stack.enter_context(one)
        model(batch().x)
        elsewhere(other.__enter__)
        model(batch().x)
    assert int(model.calls) == 2  # the other one may be in the midst of a pass
    other.__exit__(None, None, None)
    assert int(model.calls) == 0


def test_a_network_that_is_trained_elsewhere_is_not_measured() -> None:
    from pellucid import holds

    model = network().eval()
    with holds.training(model):
        found = elsewhere(lambda: WORK["measure"](model))
    assert isinstance(found, NetworkBusy)
    assert "'training' mode" in str(found)
    model.eval()
    with frozen(model):
        found = elsewhere(lambda: holds.training(model).__enter__())
    assert isinstance(found, NetworkBusy)
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_what_is_trained_may_be_looked_at_in_the_same_thread() -> None:
    from pellucid import holds

    model = network()
    with holds.training(model):
        expected = WORK["measure"](network())
        assert equal(WORK["measure"](model), expected)
        assert all(module.training for module in model.modules())
        assert all(parameter.requires_grad for parameter in model.parameters())


def test_gradients_of_parameters_are_not_taken_of_a_frozen_network() -> None:
    model = network().eval()
    with frozen(model):
        assert isinstance(elsewhere(lambda: graph(model)), NetworkBusy)
    assert isinstance(elsewhere(lambda: graph(model)), Tensor)


def test_activations_are_not_exchanged_under_another_thread() -> None:
    model = network().eval()

    def exchanged() -> None:
        with swapped(model, "softplus"):
            pass

    with frozen(model):
        assert isinstance(elsewhere(exchanged), NetworkBusy)
        with swapped(model, "softplus"):
            assert isinstance(elsewhere(lambda: WORK["decide"](model)), NetworkBusy)
    assert isinstance(model[2], nn.ReLU)
    assert elsewhere(exchanged) is None


def test_a_mode_that_a_network_was_given_in_is_not_taken_under_another_thread() -> None:
    model = network()
    case = Case(model, batch(), batch(), CLASSES, PGD(), 0)
    with frozen(model):
        assert isinstance(elsewhere(lambda: case.answers(batch().x)), Tensor)
    given = case.answers_as_given
    assert isinstance(elsewhere(lambda: given(batch().x)), Tensor)


class Merging(nn.Module):
    """A network that does more than note its mode, as those with adapters do."""

    def __init__(self) -> None:
        super().__init__()
        self.network = network()
        self.merged = False

    def train(self, mode: bool = True) -> "Merging":
        self.merged = not mode
        return super().train(mode)

    def forward(self, x: Tensor) -> Tensor:
        return self.network(x)


def test_a_network_with_a_way_of_its_own_to_change_modes_is_asked_both_ways() -> None:
    model = Merging()
    with frozen(model):
        assert model.merged
        with frozen(model):
            assert model.merged
        assert model.merged
    assert not model.merged


def test_networks_are_made_alike_in_several_threads() -> None:
    def make() -> list[Tensor]:
        return list(models.build("simple-cnn", seed=3, shape=(1, 8, 8), classes=3).state_dict().values())

    torch.manual_seed(1)
    expected, after = make(), torch.get_rng_state()
    for found in together(*[make] * 4):
        assert all(map(torch.equal, found, expected))
    assert torch.equal(torch.get_rng_state(), after)


def test_decisions_are_exact_whatever_the_process_computes_in_and_leave_it_so() -> None:
    expected, model = WORK["measure"](network()), network()
    flags = torch.backends.cudnn
    before = (flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32)
    precisions: set[str] = set()

    class Noting(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            precisions.add(torch.get_float32_matmul_precision())
            return x.flatten(1)

    torch.set_float32_matmul_precision("high")
    try:
        with Engine().deciding(torch.device("cpu")):
            Noting()(batch().x)
        found = together(*[lambda: WORK["measure"](model)] * 4)
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
    assert precisions == {"highest"}
    assert all(equal(one["predicted"], expected["predicted"]) for one in found)
    assert (flags.enabled, flags.benchmark, flags.deterministic, flags.allow_tf32) == before


def test_a_hook_hears_of_its_own_thread_alone() -> None:
    model, heard = network().eval(), list[int]()
    with hooks.hooked([model], lambda *_: heard.append(1)):
        elsewhere(lambda: model(batch().x))
        assert not heard
        model(batch().x)
    assert heard == [1]
    assert not vars(model)["_forward_hooks"]

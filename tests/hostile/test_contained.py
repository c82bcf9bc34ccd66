"""Networks that change what is around them, end the program or print."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from networks import images, smooth
from pellucid import cli, evaluate, models, stopping, surroundings
from pellucid.attacks import PGD
from pellucid.data import TensorSplit
from pellucid.errors import ConfigError, MeasurementError, NetworkError
from pellucid.evaluate.explanations import Insertion, judge
from pellucid.evaluate.neurons import activations
from pellucid.explainers import Gradient
from pellucid.looking import look
from pellucid.metrics import Estimate

CLASSES = ("ant", "bee", "cat", "dog")
SETTINGS = (*surroundings.OF_THE_THREAD, *surroundings.OF_THE_PROCESS)


class Doing(nn.Module):
    """A network that does something besides answering."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.network = smooth().float()
        self.act = act

    def forward(self, x: Tensor) -> Tensor:
        answer = self.network(x)
        self.act()
        return answer


def split() -> TensorSplit:
    x = images(6, 1, 6, 6).float()
    y = smooth().float()(x).argmax(1)
    y[0] = (y[0] + 1) % 4
    return TensorSplit(x, y, CLASSES)


def shaken() -> None:
    """Every source of random numbers begins again."""
    torch.manual_seed(0)
    random.seed(0)
    np.random.seed(0)


CHANGES: dict[str, Callable[[], object]] = {
    "precision": lambda: torch.set_default_dtype(torch.float64),
    "threads": lambda: torch.set_num_threads(torch.get_num_threads() + 1),
    "gradients off": lambda: torch.set_grad_enabled(False),
    "gradients on": lambda: torch.set_grad_enabled(True),
    "autocast": lambda: torch.set_autocast_enabled("cpu", True),
    "device": lambda: torch.set_default_device("cpu"),
    "elsewhere": lambda: torch.set_default_device("meta"),
    "determinism": lambda: torch.use_deterministic_algorithms(True, warn_only=True),
    "products": lambda: torch.set_float32_matmul_precision("medium"),
    "folder": lambda: os.chdir("/"),
    "signals": lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN),
    "warnings": lambda: warnings.simplefilter("error"),
    "imports": lambda: sys.path.insert(0, "/nowhere"),
    "numpy": lambda: np.seterr(all="raise"),
    "output": lambda: setattr(sys, "stdout", sys.stderr),
    "random numbers": shaken,
}


@pytest.fixture(autouse=True)
def _around() -> Generator[None]:
    before, path = surroundings.read(SETTINGS), sys.path[:]
    yield
    surroundings.put_back(SETTINGS, before)
    sys.path[:] = path


@pytest.mark.filterwarnings("ignore:the network")
@pytest.mark.parametrize("name", CHANGES)
def test_what_a_network_changes_is_put_back_and_changes_no_figure(name: str) -> None:
    expected = evaluate.measure(smooth().float(), split(), PGD(eps=0.1, steps=3))
    before, path = surroundings.read(SETTINGS), sys.path[:]
    # what is done by another thread changes nothing here, and what watches this one may run beside it
    alone = threading.active_count() == 1
    found = evaluate.measure(Doing(CHANGES[name]), split(), PGD(eps=0.1, steps=3))
    assert all(torch.equal(found.columns[name], expected.columns[name]) for name in expected.columns)
    after = surroundings.read(SETTINGS)
    for setting, one, other in zip(SETTINGS, before, after, strict=True):
        if setting.name == "where modules are imported from":
            assert other[: len(path)] == path  # what is new comes last
        elif alone or setting.name != "the filters of warnings":
            assert one == other, setting.name


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("begins", [True, False])
def test_a_thread_that_begins_or_ends_meanwhile_is_no_fault_of_the_network(begins: bool) -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)

    def doing() -> None:
        if begins:
            other.start()
        else:
            done.set()
            other.join()

    if not begins:
        other.start()
    try:
        look(Doing(doing), images(2, 1, 6, 6).float())
    finally:
        done.set()
        other.join()


@pytest.mark.filterwarnings("ignore:the network")
def test_the_precision_of_products_is_put_back_beside_other_threads_too() -> None:
    done = threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()
    try:
        model = Doing(CHANGES["products"])
        look(model, images(2, 1, 6, 6).float())
        assert torch.get_float32_matmul_precision() == "highest"
        torch.set_float32_matmul_precision("high")
        with surroundings.products.exact():
            look(model, images(2, 1, 6, 6).float())
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")
        done.set()
        other.join()


def test_inference_mode_that_is_left_on_is_switched_off() -> None:
    left: list[Any] = []

    def begin() -> None:
        left.append(torch.inference_mode())
        left[-1].__enter__()

    class Left(Doing):
        pass

    with pytest.warns(UserWarning, match="changed whether gradients are taken"):
        look(Left(begin), images(2, 1, 6, 6).float())
    assert not torch.is_inference_mode_enabled()
    assert torch.is_grad_enabled()


def test_that_something_was_put_back_is_said_once() -> None:
    class Once(Doing):
        pass

    model = Once(lambda: torch.set_default_dtype(torch.float64))
    with pytest.warns(UserWarning, match=r"^the network \(Once\) changed the default precision; it was put back$"):
        look(model, images(2, 1, 6, 6).float())
    look(model, images(2, 1, 6, 6).float())


def test_a_network_that_draws_draws_others_each_time() -> None:
    drawn: list[float] = []
    model = Doing(lambda: drawn.append(float(torch.rand(()))))
    for _ in range(3):
        look(model, images(2, 1, 6, 6).float())
    assert len(set(drawn)) == 3


def test_threads_that_leave_in_any_order_leave_what_was_before() -> None:
    from pellucid.contained import contained

    before = torch.get_default_dtype()
    first, second = contained("the network (first)"), contained("the network (second)")
    with pytest.warns(UserWarning, match="changed the default precision"):
        first.__enter__()
        torch.set_default_dtype(torch.float64)
        second.__enter__()
        first.__exit__(None, None, None)
        torch.set_default_dtype(torch.float64)
        second.__exit__(None, None, None)
    assert torch.get_default_dtype() == before


class Ending(BaseException):
    """Not an Exception, as those of test runners and event loops are not."""


@pytest.mark.parametrize(
    "error", [SystemExit(0), SystemExit("bye"), GeneratorExit(), Ending("over"), StopIteration(3), KeyError("x")]
)
def test_whatever_a_network_raises_is_an_error_of_one_line(error: BaseException) -> None:
    def fail() -> None:
        raise error

    for work in (
        lambda: evaluate.measure(Doing(fail), split(), PGD(eps=0.1, steps=2)),
        lambda: evaluate.decide(Doing(fail), split()),
        lambda: Gradient()(Doing(fail), images(2, 1, 6, 6).float(), "predicted"),
    ):
        with pytest.raises(NetworkError, match=rf"^the network \(Doing\) .*{type(error).__name__}") as caught:
            work()
        assert "\n" not in str(caught.value)
        assert caught.value.__cause__ is error


class Bad(torch.autograd.Function):
    """Raises on the way back."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        raise KeyError("no way back")


def test_what_it_raises_on_the_way_back_is_one_line_too() -> None:
    class Back(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = smooth().float()

        def forward(self, x: Tensor) -> Tensor:
            return self.network(Bad.apply(x))

    with pytest.raises(NetworkError, match=r"^the network \(Back\) failed on the way back to its pixels: KeyError"):
        Gradient()(Back(), images(2, 1, 6, 6).float(), "predicted")


def test_ctrl_c_goes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(error: BaseException) -> Callable[[], object]:
        def fail() -> None:
            raise error

        return fail

    x = images(2, 1, 6, 6).float()
    with pytest.raises(KeyboardInterrupt):
        look(Doing(press(KeyboardInterrupt())), x)
    monkeypatch.setattr(stopping, "watching", lambda: True)  # as in the command line, where Ctrl-C raises `Stopped`
    with pytest.raises(stopping.Stopped):
        look(Doing(press(stopping.Stopped(signal.SIGINT))), x)
    with pytest.raises(NetworkError, match="KeyboardInterrupt"):
        look(Doing(press(KeyboardInterrupt())), x)


def test_what_makes_a_network_ends_nothing_and_leaves_random_numbers_alone() -> None:
    def ends() -> nn.Module:
        sys.exit(2)

    def fails() -> nn.Module:
        raise KeyError("weights")

    def shakes() -> nn.Module:
        shaken()
        return smooth()

    with pytest.raises(NetworkError, match=r"^'ends' asked the program to end \(SystemExit: 2\)"):
        models.load(ends)
    with pytest.raises(ConfigError, match="^'fails' could not be made: KeyError: 'weights'$"):
        models.load(fails)
    before, drawn = torch.get_rng_state(), np.random.get_state(legacy=False)
    models.load(shakes)
    assert random.random() != random.Random(0).random()  # checks of types draw some of these meanwhile
    assert torch.equal(torch.get_rng_state(), before)
    assert str(np.random.get_state(legacy=False)) == str(drawn)


class Learning(nn.Module):
    """A network that goes on learning when it is looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.network = smooth().float()

    def forward(self, x: Tensor) -> Tensor:
        for parameter in self.parameters():
            parameter.data.mul_(1.01)
        return self.network(x)


def test_a_network_that_changes_its_weights_is_not_measured() -> None:
    with pytest.raises(MeasurementError, match="^the network changed its own weights"):
        evaluate.decide(Learning(), split())
    with pytest.raises(MeasurementError, match="^the network changed its own weights"):
        evaluate.measure(Learning(), split(), PGD(eps=0.1, steps=2))
    with pytest.raises(MeasurementError, match="^the network changed its own weights"):
        activations(Learning(), split(), ("network.0",))
    with pytest.raises(MeasurementError, match="^the network changed its own weights"):
        judge(Learning(), split(), {"insertion": Insertion()}, explainer=Gradient())


class Flickering(nn.Module):
    """A network that is wrong at the first look and right at all others."""

    def __init__(self, labels: Tensor) -> None:
        super().__init__()
        self.labels = labels
        self.weight = nn.Parameter(torch.ones(()))
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        right = nn.functional.one_hot(self.labels[: len(x)], 4).float()
        return self.weight * right.roll(int(self.calls == 1), 1) + 0 * x.flatten(1).sum(1, keepdim=True)


def test_an_image_that_is_wrong_as_it_is_never_stands() -> None:
    data = split()
    (batch,) = data.batches([torch.arange(len(data))])
    found = evaluate.measure(Flickering(batch.y), data, PGD(eps=0.1, steps=2))
    assert found.accuracy.value == found.robust_accuracy(0.1).value == 0
    assert found.columns["reached_at_start"].all() and not found.columns["distance"].any()


def test_robust_accuracy_above_accuracy_is_an_error() -> None:
    found = evaluate.measure(smooth().float(), split(), PGD(eps=0.001, steps=1))
    columns = {**found.columns, "reached": torch.zeros(6, dtype=torch.bool)}
    wrong = evaluate.Record(columns, found.about)
    for figure in (lambda: wrong.robust_accuracy(0.001), lambda: wrong.survived):
        with pytest.raises(MeasurementError, match="1 of 6 images that the network gets wrong as they are stand"):
            figure()
    for distance in (-1.0, 5.0, float("nan")):
        far = {**found.columns, "distance": torch.full((6,), distance), "reached": torch.ones(6, dtype=torch.bool)}
        with pytest.raises(MeasurementError, match="the attack was to stay between 0 and 0.001"):
            evaluate.Record(far, found.about).robust_accuracy(0.001)
    assert isinstance(found.survived, Estimate)


NETWORK = """
import os, sys
import torch
from torch import nn

print("imported")


class Loud(nn.Sequential):
    def forward(self, x):
        print("looked")
        sys.stdout.write("written")
        os.write(1, b"below Python")
        return super().forward(x)


def loud():
    print("made")
    torch.manual_seed(0)
    return Loud(nn.Flatten(), nn.Linear(64, 10))


def ending():
    class Ending(nn.Module):
        def forward(self, x):
            sys.exit(0)

    return Ending()


def failing():
    class Failing(nn.Module):
        def forward(self, x):
            raise KeyError("gone")

    return Failing()
"""


@pytest.mark.slow
def test_the_command_line_holds_what_a_network_does(tmp_path: Path) -> None:
    (tmp_path / "strange.py").write_text(NETWORK)

    def run(name: str, *more: str) -> subprocess.CompletedProcess[str]:
        words = ("measure", f"strange:{name}", "--data", "digits", "--n", "8", "--attack", "pgd", "--eps", "8/255")
        return subprocess.run(
            [sys.executable, "-m", "pellucid", *words, *more],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    found = run("loud", "--json", "--no-verdicts")
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["images"] == 8
    for said in ("imported", "made", "looked", "written", "below Python"):
        assert said in found.stderr
    for name, said in (("ending", "SystemExit: 0"), ("failing", "KeyError: 'gone'")):
        ended = run(name, "--json")
        assert ended.returncode == 1 and ended.stdout == ""
        (line,) = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
        assert said in line and "Traceback" not in ended.stderr


def test_json_has_standard_output_for_itself(capfd: pytest.CaptureFixture[str]) -> None:
    from pellucid.cli.as_json import alone, aloud

    with alone():
        sys.stdout.write("a network\n")
        os.write(1, b"below Python\n")
        with aloud():
            sys.stdout.write("{}\n")
        sys.stdout.write("again\n")
    sys.stdout.write("after\n")
    out, err = capfd.readouterr()
    assert out == "{}\nafter\n"
    assert all(said in err for said in ("a network", "below Python", "again"))
    assert cli.cli is not None

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from networks import images, listed, side_of
from pellucid.errors import ConfigError
from pellucid.models import MODELS, build, curves, load, rectifiers_left, replace_activations, swapped

SOFTPLUS = {"name": "softplus", "beta": 20}
X = images(3, 1, 8, 8).float()


def network() -> nn.Sequential:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        block = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(inplace=True))
        return nn.Sequential(block, nn.Flatten(), nn.Linear(72, 8), nn.ReLU(), nn.Linear(8, 4))


class Shared(nn.Module):
    """One module in two places, under two names, and used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(64, 8), nn.Linear(8, 4)
        self.relu = nn.ReLU()
        self.rest = nn.Sequential(self.relu, self.relu)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.rest(self.relu(self.first(x.flatten(1)))))


def test_every_relu_is_exchanged_and_nothing_else_changes() -> None:
    model = network()
    model[3].eval()
    state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    others = [module for module in model.modules() if not isinstance(module, nn.ReLU | nn.Sequential)]
    assert replace_activations(model, SOFTPLUS) == 2
    exchanged = [module for module in model.modules() if isinstance(module, nn.Softplus)]
    assert [(module.beta, module.training) for module in exchanged] == [(20, True), (20, False)]
    assert not any(isinstance(module, nn.ReLU) for module in model.modules())
    assert [module for module in model.modules() if not isinstance(module, nn.Softplus | nn.Sequential)] == others
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())
    assert replace_activations(model, "tanh") == 0
    assert replace_activations(model, "tanh", of=nn.Softplus) == 2


def test_a_network_with_exchanged_activations_is_the_one_that_is_built_with_them() -> None:
    for name in ("mlp", "lenet", "simple-cnn", "resnet18"):
        exchanged, built = build(name, shape=(1, 8, 8)), build(name, shape=(1, 8, 8), activation=SOFTPLUS)
        assert replace_activations(exchanged, SOFTPLUS) > 0
        assert torch.equal(exchanged.eval()(X), built.eval()(X)), name
        assert repr(exchanged) == repr(built)


def test_a_module_in_two_places_stays_one() -> None:
    model = Shared()
    assert replace_activations(model, SOFTPLUS) == 1
    assert isinstance(model.relu, nn.Softplus)
    assert model.rest[0] is model.rest[1] is model.relu


LEFT: list[tuple[nn.Module, tuple[str, ...]]] = [
    (nn.ReLU(), ()),
    (nn.ReLU6(), ("hardtanh",)),
    (nn.Hardtanh(0, 4, inplace=True), ("hardtanh",)),
    (nn.Hardtanh(), ()),
    (nn.Threshold(0, 0), ("threshold",)),
    (nn.Softplus(), ()),
]


@pytest.mark.parametrize(("activation", "left"), LEFT)
def test_what_an_exchange_leaves_out_is_named(activation: nn.Module, left: tuple[str, ...]) -> None:
    model = nn.Sequential(network()[:3], activation, nn.Linear(8, 4))
    before = model(X)
    assert set(rectifiers_left(model, X)) == {"relu", *left}
    with swapped(model, SOFTPLUS):
        assert rectifiers_left(model, X) == left
    assert model.training and torch.equal(model(X), before)


@pytest.mark.parametrize("relu", [F.relu, torch.relu, Tensor.relu, Tensor.relu_, F.relu6])
def test_activations_called_as_functions_are_left(relu: Callable[[Tensor], Tensor]) -> None:
    class Mixed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = network()

        def forward(self, x: Tensor) -> Tensor:
            return relu(self.inner(x))

    model = Mixed()
    with swapped(model, SOFTPLUS):
        assert rectifiers_left(model, X) == ("relu6" if relu is F.relu6 else "relu",)


def helping(x: Tensor) -> Tensor:
    return F.relu(x)


class ByHand(nn.Module):
    """Uses rectifiers in every way that no exchange of modules reaches."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.inner, self.relu = way, network(), nn.ReLU()
        self.rest = nn.Sequential(nn.ReLU6()) if way == "ReLU6" else nn.Sequential()
        if way == "held":
            self.function = F.relu

    def forward(self, x: Tensor) -> Tensor:
        return self.rest(self.relu(self.inner(x)))


class Functional(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(super().forward(x))


class OfTensors(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x).relu_()


class Inside(ByHand):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([helping(self.inner(x)), *(torch.relu(one) for one in [x.flatten(1)])], 1)


MIXED = [
    (lambda: ByHand("ReLU6"), "ReLU6"),
    (lambda: ByHand("held"), "relu"),
    (lambda: Functional(""), "relu"),
    (lambda: OfTensors(""), "relu_"),
    (lambda: Inside(""), "relu"),
]


@pytest.mark.parametrize(("make", "left"), MIXED)
def test_rectifiers_that_the_option_does_not_exchange_are_said(make: Callable[[], nn.Module], left: str) -> None:
    message = (
        f"'<lambda>' also uses {left}, which the option 'activation' does not exchange, so it is a mixture of "
        "activations; make each of them a torch.nn.ReLU module"
    )
    with pytest.warns(UserWarning, match=f"^{re.escape(message)}$"):
        mixed = load(make, options={"activation": SOFTPLUS})
    assert not any(isinstance(module, nn.ReLU) for module in mixed.modules())
    load(make)  # without the option there is nothing to say


def test_a_network_whose_rectifiers_are_all_exchanged_is_not_warned_of() -> None:
    for make in (network, Shared, lambda: ByHand("")):
        assert rectifiers_left(load(make, options={"activation": SOFTPLUS}), X) == ()


@pytest.mark.parametrize("fails", [False, True])
def test_swapped_activations_are_put_back(fails: bool) -> None:
    for model in (network().eval(), Shared()):
        modules, before = dict(model.named_modules(remove_duplicate=False)), model(X)
        try:
            with swapped(model, SOFTPLUS) as smooth:
                assert smooth is model
                assert not any(isinstance(module, nn.ReLU) for module in model.modules())
                assert not torch.equal(model(X), before)
                if fails:
                    raise RuntimeError
        except RuntimeError:
            pass
        assert dict(model.named_modules(remove_duplicate=False)) == modules
        assert torch.equal(model(X), before)


@pytest.mark.parametrize("name", MODELS)
def test_smooth_networks_curve_and_relu_networks_do_not(name: str) -> None:
    if name in ("wide-resnet-28-10", "preact-resnet44"):
        pytest.skip("large, and made of the same parts as resnet18")
    model, x = listed(name, channels=1), images(3, 1, side_of(name), side_of(name)).float()
    state = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    assert curves(model, x) == (name == "vit")  # whose attention curves, whatever its activation
    assert curves(listed(name, channels=1, activation=SOFTPLUS), x)
    with swapped(model, SOFTPLUS):
        assert curves(model, x)
    assert all(torch.equal(tensor, state[key]) for key, tensor in model.state_dict().items())
    assert model.training and all(parameter.requires_grad for parameter in model.parameters())


def test_a_linear_network_does_not_curve_whatever_mode_of_gradients_holds() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(64, 4))
    with torch.no_grad():
        assert not curves(linear, X)
        assert curves(nn.Sequential(linear, nn.Tanh()), X)


FACTORY = """
from torch import nn
import torch.nn.functional as F

def net(classes: int = 10) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, classes))

def own(activation: str = "relu") -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Identity() if activation == "mine" else nn.ReLU())

def anything(**options: object) -> nn.Module:
    return own(**options)

class Functional(nn.Module):
    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()

    def forward(self, x):
        return F.relu(x.flatten(1))
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    name = f"net_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    return name


def test_a_factory_that_knows_no_activation_has_its_relus_exchanged(mine: str) -> None:
    model = build(f"{mine}:net", classes=4, activation=SOFTPLUS)
    softplus = model.get_submodule("2")
    assert isinstance(softplus, nn.Softplus) and softplus.beta == 20
    plain = build(f"{mine}:net", classes=4)
    assert isinstance(plain.get_submodule("2"), nn.ReLU)
    assert torch.equal(plain.get_parameter("1.weight"), model.get_parameter("1.weight"))
    loaded = load(f"{mine}:net", options={"activation": SOFTPLUS})
    assert isinstance(loaded.get_submodule("2"), nn.Softplus)


def test_a_factory_that_knows_activations_is_given_them(mine: str) -> None:
    for name in ("own", "anything"):
        assert isinstance(build(f"{mine}:{name}", activation="mine").get_submodule("1"), nn.Identity)


def test_a_network_without_modules_to_exchange_is_refused(mine: str) -> None:
    message = (
        f"'{mine}:Functional' takes no option 'activation' and has no torch.nn.ReLU modules to exchange; "
        "give it the option, or make its activations modules"
    )
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        build(f"{mine}:Functional", activation="softplus")

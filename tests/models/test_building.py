import re
from functools import cache, partial

import pytest
import torch
from torch import nn

from networks import listed
from pellucid.errors import ConfigError, UnknownName
from pellucid.models import MODELS, build, load


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


@pytest.mark.parametrize("name", MODELS)
def test_a_seed_decides_the_weights_and_the_callers_numbers_stay(name: str) -> None:
    state = torch.random.get_rng_state()
    first, again, other = (listed(name, seed=seed).state_dict() for seed in (3, 3, 4))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


def test_the_weights_do_not_depend_on_what_the_caller_drew() -> None:
    before = build("lenet").state_dict()
    with torch.random.fork_rng():
        torch.manual_seed(12345)
        after = build("lenet").state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)


def test_networks_are_built_on_the_cpu_whatever_the_default_device() -> None:
    with torch.device("meta"):
        assert {parameter.device.type for parameter in build("lenet").parameters()} == {"cpu"}


@pytest.mark.parametrize("name", MODELS)
def test_every_network_says_what_it_is(name: str) -> None:
    assert (MODELS[name].__doc__ or "").partition("\n")[0].endswith(".")


@pytest.mark.parametrize(
    ("name", "option", "message"),
    [
        ("simple-cnn", "dropuot", "'simple-cnn' has no option 'dropuot' (did you mean 'dropout'?)"),
        (
            "lenet",
            "bogus",
            "'lenet' has no option 'bogus' (there are: activation, classes, mean, shape, std)",
        ),
    ],
)
def test_an_unknown_option_is_named(name: str, option: str, message: str) -> None:
    with pytest.raises(ConfigError, match=exactly(message)):
        build(name, **{option: 1})


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(UnknownName, match=exactly("no model is called 'resnet19' (did you mean 'resnet18'?)")):
        build("resnet19")


def test_a_function_of_ones_own_is_built_by_its_path() -> None:
    network = build("torch.nn:Linear", in_features=3, out_features=2, seed=1)
    assert isinstance(network, nn.Linear)
    again = build("torch.nn:Linear", in_features=3, out_features=2, seed=1)
    assert torch.equal(network.weight, again.get_parameter("weight"))


def test_an_option_without_default_must_be_given() -> None:
    with pytest.raises(
        ConfigError, match=exactly("'torch.nn:Linear' needs the option 'out_features'; it has no default")
    ):
        build("torch.nn:Linear", in_features=3)


def make_nothing_in_particular():  # type: ignore[no-untyped-def]
    """Says nothing of what it returns."""
    return 3


def make_a_number() -> int:
    """Says that it returns no module."""
    raise AssertionError("is never called")


def test_what_is_made_must_be_a_module() -> None:
    source = f"{__name__}:make_nothing_in_particular"
    with pytest.raises(
        ConfigError, match=exactly(f"'{source}' made a int, neither a torch.nn.Module nor a function")
    ):
        build(source)


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("os:system", "is a builtin_function_or_method and not written in Python"),
        ("subprocess:Popen", "is the class Popen, which is no torch.nn.Module"),
        ("fractions:Fraction", "is the class Fraction, which is no torch.nn.Module"),
        ("torch:zeros", "is a builtin_function_or_method and not written in Python"),
        (f"{__name__}:make_a_number", "returns int, and not a torch.nn.Module"),
    ],
)
def test_what_makes_no_network_is_not_called(source: str, what: str) -> None:
    message = f"'{source}' {what}; name a function or class that makes a network"
    with pytest.raises(ConfigError, match=exactly(message)):
        build(source, command="touch ran", args="touch ran")


class Maker:
    """An object that makes networks when it is called."""

    def __call__(self, units: int = 2) -> nn.Module:
        """A network."""
        return nn.Linear(1, units)


@cache
def kept(units: int, /) -> nn.Module:
    """A function that remembers what it made."""
    return nn.Linear(1, units)


half_made = partial(kept, 3)
maker = Maker()
method = Maker().__call__


@pytest.mark.parametrize(("name", "units"), [("half_made", 3), ("maker", 2), ("method", 2), ("Maker.__call__", 2)])
def test_functions_come_in_many_forms(name: str, units: int) -> None:
    factory = Maker().__call__ if "." in name else globals()[name]
    network = load(factory)
    assert isinstance(network, nn.Linear) and network.out_features == units
    if "." not in name:
        assert isinstance(build(f"{__name__}:{name}"), nn.Linear)

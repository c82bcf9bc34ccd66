import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from pellucid.errors import WeightsError
from pellucid.models import build, fit_weights, read_weights

NESTS = ("state_dict", "model_state_dict", "model", "model_params")


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def network(seed: int = 1) -> nn.Module:
    return build("mlp", shape=(1, 2, 2), hidden=(3,), classes=2, seed=seed)


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in network().state_dict().items()}


def same(found: dict[str, Tensor]) -> bool:
    expected = network().state_dict()
    return list(found) == list(expected) and all(torch.equal(found[name], expected[name]) for name in expected)


def legacy(content: object, path: Path) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False)


class Careless(nn.Linear):
    """A class that a pickle would import."""


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
@pytest.mark.parametrize("nests", [(), *((nest,) for nest in NESTS), ("model", "state_dict")], ids=".".join)
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."])
def test_the_state_dict_of_a_checkpoint_is_found(
    tmp_path: Path, save: Callable[[object, Path], None], nests: tuple[str, ...], prefix: str
) -> None:
    content: object = prefixed(prefix)
    for nest in reversed(nests):
        content = {"epoch": 3, nest: content, "optimizer": {"lr": 0.1}}
    save(content, tmp_path / "net.pt")
    assert same(read_weights(tmp_path / "net.pt"))


def test_safetensors_are_read(tmp_path: Path) -> None:
    safetensors.torch.save_file(prefixed("module."), tmp_path / "net.safetensors")
    found = read_weights(str(tmp_path / "net.safetensors"))
    assert same({name: found[name] for name in network().state_dict()})


def test_a_part_called_module_keeps_its_name(tmp_path: Path) -> None:
    torch.save({"module.weight": torch.ones(1), "head.weight": torch.ones(1)}, tmp_path / "net.pt")
    assert list(read_weights(tmp_path / "net.pt")) == ["module.weight", "head.weight"]


def test_parts_that_were_compiled_get_their_names_back(tmp_path: Path) -> None:
    torch.save({"body._orig_mod.weight": torch.ones(1), "head.weight": torch.ones(1)}, tmp_path / "net.pt")
    assert list(read_weights(tmp_path / "net.pt")) == ["body.weight", "head.weight"]


@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_a_file_that_needs_code_is_refused(tmp_path: Path, save: Callable[[object, Path], None]) -> None:
    path = tmp_path / "net.pt"
    save(Careless(2, 2), path)
    message = (
        f"{path} holds '{__name__}.Careless', and reading it could run code; if you trust it, convert it where that "
        f"can be imported: model = torch.load('{path}', weights_only=False); "
        f"torch.save(model.state_dict(), '{tmp_path}/net-weights.pt')"
    )
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_an_attack_by_pickle_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(pickle.dumps(Attack(tmp_path / "ran"), protocol=2))
    with pytest.raises(WeightsError, match=r"net\.pt holds 'io\.open', and reading it could run code"):
        read_weights(path)
    assert not (tmp_path / "ran").exists()


class Attack:
    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self.path, "w")


def cut(path: Path, keep: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])


@pytest.mark.parametrize("keep", [0.0, 0.001, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("save", [torch.save, legacy], ids=["zip", "legacy"])
def test_a_file_that_was_cut_short_is_refused(
    tmp_path: Path, save: Callable[[object, Path], None], keep: float
) -> None:
    path = tmp_path / "net.pt"
    save(network().state_dict(), path)
    cut(path, keep)
    message = f"{path} is damaged, cut short or no weights file; fetch or save it again"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


@pytest.mark.parametrize("content", [b"garbage " * 100, b"\x00" * 50, b"<html>404</html>"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.pt"
    path.write_bytes(content)
    message = f"{path} is damaged, cut short or no weights file; fetch or save it again"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_a_zip_file_with_a_broken_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save(network().state_dict(), path)
    path.write_bytes(path.read_bytes().replace(b"PK\x01\x02", b"PK\x07\x07"))
    message = f"{path} is damaged, cut short or no weights file; fetch or save it again"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_damaged_safetensors_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file(network().state_dict(), path)
    cut(path, 0.5)
    message = rf"^{re.escape(str(path))} is damaged, cut short or no weights file \(.+\); fetch or save it again$"
    with pytest.raises(WeightsError, match=message):
        read_weights(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    message = f"there is no weights file {path}; give a .safetensors file or one written by torch.save"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


@pytest.mark.parametrize(
    ("content", "kind"),
    [([torch.ones(2)], "list"), (torch.ones(2), "Tensor"), ({}, "dict")],
    ids=["list", "tensor", "empty"],
)
def test_tensors_without_names_are_refused(tmp_path: Path, content: object, kind: str) -> None:
    path = tmp_path / "net.pt"
    torch.save(content, path)
    message = f"{path} holds no tensors by name but a {kind}; save model.state_dict()"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_a_checkpoint_without_a_state_dict_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save({"epoch": 3, "weights": {}, "loss": 0.1, "lr": 1.0, "w": torch.ones(1)}, path)
    message = (
        f"{path} holds things that are not tensors: epoch, weights, loss and 1 more; save model.state_dict(), "
        "alone or under one of state_dict, model_state_dict, model, model_params"
    )
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_weights_that_fit_are_copied() -> None:
    model = network(seed=2)
    fit_weights(model, network(seed=1).state_dict(), "elsewhere")
    assert same(model.state_dict())


def test_weights_that_do_not_fit_are_named_one_by_one() -> None:
    weights = network().state_dict()
    weights["fc1.weight"] = torch.zeros(3, 5)
    del weights["fc2.bias"]
    weights["fc3.bias"] = torch.zeros(1)
    message = (
        "the weights of there do not fit the network: it lacks fc2.bias; the network has no fc3.bias; "
        "fc1.weight is (3, 5) and not (3, 4)"
    )
    model = network(seed=2)
    with pytest.raises(WeightsError, match=exactly(message)):
        fit_weights(model, weights, "there")
    untouched = network(seed=2).state_dict()
    assert all(torch.equal(tensor, untouched[name]) for name, tensor in model.state_dict().items())


def test_long_lists_of_weights_are_cut() -> None:
    message = (
        "the weights of there do not fit the network: it lacks fc1.weight, fc1.bias, fc2.weight and 1 more; "
        "the network has no a"
    )
    with pytest.raises(WeightsError, match=exactly(message)):
        fit_weights(network(), {"a": torch.ones(1)}, "there")


def test_normalization_is_never_dropped_or_invented() -> None:
    plain = build("mlp", shape=(1, 2, 2))
    normalizing = build("mlp", shape=(1, 2, 2), mean=(0.5,), std=(0.5,))
    with pytest.raises(WeightsError, match=r"the network has no normalize\.mean, normalize\.std$"):
        fit_weights(plain, normalizing.state_dict(), "there")
    with pytest.raises(WeightsError, match=r"it lacks normalize\.mean, normalize\.std$"):
        fit_weights(normalizing, plain.state_dict(), "there")

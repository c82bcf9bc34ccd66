import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from pellucid.errors import ConfigError, WeightsError
from pellucid.models import load, read_weights

pytestmark = [
    # both formats warn about themselves, differently in each version of torch
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Softplus(), nn.Linear(3, 2)).eval()


def images(count: int = 3) -> torch.Tensor:
    return torch.linspace(0, 1, 4 * count).reshape(count, 1, 2, 2)


def save_torchscript(path: Path) -> None:
    torch.jit.script(network()).save(path)


def save_exported(path: Path) -> None:
    batch = torch.export.Dim("batch")
    torch.export.save(torch.export.export(network(), (images(2),), dynamic_shapes=({0: batch},)), path)


@pytest.mark.parametrize(("name", "save"), [("net.pt", save_torchscript), ("net.pt2", save_exported)])
def test_a_program_is_a_network_like_any_other(tmp_path: Path, name: str, save: Callable[[Path], None]) -> None:
    save(tmp_path / name)
    model = load(str(tmp_path / name))
    x = images().requires_grad_()
    torch.testing.assert_close(model(x), network()(images()))
    assert sum(parameter.numel() for parameter in model.parameters()) == 4 * 3 + 3 + 3 * 2 + 2
    assert not model.training
    assert model.train().training
    assert not nn.Sequential(model).eval()[0].training
    (gradient,) = torch.autograd.grad(model(x)[:, 0].sum(), x, create_graph=True)
    gradient.square().sum().backward()
    assert x.grad is not None and x.grad.abs().max() > 0


def test_a_file_of_weights_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.save(network().state_dict(), path)
    message = f"{path} holds no program; if it holds weights, name their network and give weights='{path}'"
    with pytest.raises(WeightsError, match=exactly(message)):
        load(str(path))


def test_a_program_is_no_file_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    save_torchscript(path)
    message = f"{path} is a TorchScript program, not weights; load it as the network itself"
    with pytest.raises(WeightsError, match=exactly(message)):
        read_weights(path)


def test_a_damaged_exported_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt2"
    path.write_bytes(b"garbage")
    message = f"{path} is not an exported program that torch {torch.__version__} can read"
    with pytest.raises(WeightsError, match=exactly(message)):
        load(str(path))


def test_a_damaged_torchscript_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", b"garbage")
    message = f"{path} is not a TorchScript program that torch {torch.__version__} can read"
    with pytest.raises(WeightsError, match=exactly(message)):
        load(str(path))


def test_a_program_takes_neither_weights_nor_options(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    save_torchscript(path)
    message = f"{path} is a whole program; it takes neither weights nor options"
    with pytest.raises(ConfigError, match=exactly(message)):
        load(str(path), options={"classes": 3})
    with pytest.raises(ConfigError, match=exactly(message)):
        load(str(path), weights=path)


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=exactly(f"there is no program {tmp_path}/net.pt")):
        load(f"{tmp_path}/net.pt")

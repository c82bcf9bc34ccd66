import contextlib
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from pellucid.errors import ConfigError, NotTrusted, WeightsError
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
    model = load(str(tmp_path / name), trust=[str(tmp_path / name)])
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
        load(str(path), trust=True)


def test_a_damaged_torchscript_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/constants.pkl", b"garbage")
    message = f"{path} is not a TorchScript program that torch {torch.__version__} can read"
    with pytest.raises(WeightsError, match=exactly(message)):
        load(str(path), trust=True)


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


class Touch:
    """A pickle that makes a file when it is read."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return eval, ("open('ran', 'w')",)


def rewritten(path: Path, change: Callable[[str, bytes], bytes]) -> None:
    """The archive with members changed."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, change(name, content))


def save_with_a_pickle(path: Path) -> None:
    save_exported(path)
    pickle = io.BytesIO()
    torch.save(Touch(), pickle)
    rewritten(path, lambda name, content: pickle.getvalue() if "sample_inputs" in name else content)


def save_with_an_expression(path: Path) -> None:
    save_exported(path)
    text = b"\"expr_str\": \"open('ran', 'w')\""
    rewritten(path, lambda _, content: re.sub(rb'"expr_str": "Symbol[^"]*"', lambda _: text, content))


class Writes(nn.Module):
    """A network that opens a file for writing whenever it looks at images."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1) + torch.from_file("ran", shared=True, size=1).mean()


def save_that_writes(path: Path) -> None:
    torch.jit.script(Writes()).save(path)


HOSTILE = [
    ("net.pt2", save_with_a_pickle, "an exported program, and reading it can run any code"),
    ("net.pt2", save_with_an_expression, "an exported program, and reading it can run any code"),
    ("net.pt", save_that_writes, "a TorchScript program, which can write and open any file"),
    ("net.pth", save_that_writes, "a TorchScript program, which can write and open any file"),
    ("net.ts", save_that_writes, "a TorchScript program, which can write and open any file"),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("name", "save", "what"), HOSTILE)
def test_a_program_does_nothing_before_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, save: Callable[[Path], None], what: str
) -> None:
    monkeypatch.chdir(tmp_path)
    save(Path(name))
    other = tmp_path / "other" / name
    message = f"{name} is {what}; if you trust whoever made it, add --trust {name} (in Python: trust=True)"
    for trust in ([], False, ["net"], ["mynet", str(other)]):
        with pytest.raises(NotTrusted, match=exactly(message)):
            load(name, trust=trust)  # type: ignore[arg-type]
    assert not Path("ran").exists()
    # that is no idle fear
    with contextlib.suppress(Exception):
        load(name, trust=[tmp_path / name])(images())
    assert Path("ran").exists()


def test_the_option_that_is_offered_can_be_pasted(tmp_path: Path) -> None:
    path = tmp_path / "my net.pt2"
    path.touch()
    with pytest.raises(NotTrusted, match=re.escape(f"add --trust '{path}' ")):
        load(str(path))

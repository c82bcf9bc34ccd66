"""Whose functions are called: what a file names, and what a person types."""

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import safetensors.torch
from torch import nn

from pellucid import config, models
from pellucid.attacks import PGD, Transfer
from pellucid.errors import (
    DownloadError,
    MissingExtra,
    NotTrusted,
    PellucidError,
    UnknownName,
    WeightsError,
)
from pellucid.trust import Written, origin, trusting, trusts_file, trusts_module, written

NETWORK = """
import functools, os, subprocess
from os import system
from subprocess import getoutput
from torch.nn import Identity
from torch import nn
def note(word):
    with open({trace!r}, "a") as file:
        file.write(word)
note("imported ")
def make(**options):
    note("called ")
    return nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
class Net(nn.Sequential):
    def __init__(self, **options):
        super().__init__(*make())
half = functools.partial(make, hidden=3)
shell = functools.partial(subprocess.run, shell=True)
@functools.wraps(make)
def wrapped(**options):
    return make(**options)
class Maker:
    def __call__(self):
        return make()
maker = Maker()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder, and a list of modules that is as before in the end."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    known = set(sys.modules)
    yield folder
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]
    importlib.invalidate_caches()


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "trace"


@pytest.fixture
def module(trace: Path) -> Callable[[str], None]:
    """Writes a module that leaves a trace when it is imported, and one when it is called."""

    def write(path: str) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(NETWORK.format(trace=str(trace)))

    return write


def folder(name: str, source: str, /, **options: object) -> str:
    """A run folder with the weights of what `make` makes."""
    Path(name).mkdir(parents=True, exist_ok=True)
    (Path(name) / "model.json").write_text(json.dumps({"name": source, "options": options}))
    network = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    safetensors.torch.save_file(network.state_dict(), Path(name) / "model.safetensors")
    return f"./{name}"


def refused(run: str, *, trust: Any = ()) -> str:
    with pytest.raises(NotTrusted) as caught:
        models.load(run, trust=trust)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["make", "Net", "half", "wrapped"])
@pytest.mark.parametrize("file", ["mynet.py", "mynets/small.py", "mynets/__init__.py"])
def test_the_projects_own_functions_are_called(module: Callable[[str], None], file: str, name: str) -> None:
    module(file)
    if file.startswith("mynets"):
        Path("mynets/__init__.py").touch()
    source = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert len(list(models.load(folder("runs/mine", f"{source}:{name}")).parameters())) == 4


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("os:system", {"command": "touch ran"}),
        ("subprocess:Popen", {"args": ["touch", "ran"]}),
        ("subprocess:getoutput", {"cmd": "touch ran"}),
        ("builtins:exec", {}),
        ("torch.nn:Linear", {"in_features": 1, "out_features": 1}),
        ("torch.hub:load", {"repo_or_dir": "stranger/code", "model": "net"}),
        ("pellucid.models:load", {"source": "hf:stranger/net"}),
        ("antigravity:fly", {}),
        ("..here:make", {}),
        ("a/b:make", {}),
        (":make", {}),
        ("hf:stranger/net", {}),
    ],
)
def test_a_folder_cannot_name_what_is_not_the_projects(source: str, options: dict[str, Any]) -> None:
    module, _, _ = source.partition(":")
    run = folder("runs/theirs", source, **options)
    assert refused(run) == (
        f"runs/theirs/model.json names '{source}', and the module '{module}' is not of the project in the current "
        f"folder, so it was not run; if you trust it, add --trust {module} (in Python: trust=['{module}'])"
    )
    assert not Path("ran").exists() and "antigravity" not in sys.modules


@pytest.mark.parametrize(
    ("file", "run", "source"),
    [
        ("evil/net.py", "evil", "evil.net:make"),
        ("evil/net.py", "evil/run", "evil.net:make"),
        ("evil/__init__.py", "evil/deep/run", "evil:make"),
        ("runs/evil/net.py", "runs/evil", "runs.evil.net:make"),
        ("runs/__init__.py", "runs/evil", "runs:make"),
        ("data/net.py", "runs/evil", "data.net:make"),  # a folder of data is no package
    ],
)
def test_what_comes_with_the_folder_is_not_the_projects(
    module: Callable[[str], None], trace: Path, file: str, run: str, source: str
) -> None:
    module(file)
    if file.startswith("evil"):
        Path("evil/__init__.py").touch()
    refused(folder(run, source))
    assert not trace.exists()


def test_a_link_does_not_make_it_the_projects(module: Callable[[str], None], trace: Path, tmp_path: Path) -> None:
    module("../elsewhere/net.py")
    Path("net.py").symlink_to(tmp_path / "elsewhere" / "net.py")
    refused(folder("runs/a", "net:make"))
    module("evil/__init__.py")
    folder("evil/run", "evil:make")
    Path("link").symlink_to("evil")
    refused("./link/run")
    # a folder that is a link into nowhere of the project, and a description that is one
    Path("evil/other").mkdir()
    folder("../outside", "evil:make")
    Path("evil/other/model.json").symlink_to(tmp_path / "outside" / "model.json")
    refused("./evil/other")
    assert not trace.exists()


@pytest.mark.parametrize("suffix", [".pyc", ".so", ".cpython-311-x86_64-linux-gnu.so", ".pyd", ".zip"])
def test_only_source_is_the_projects(suffix: str) -> None:
    Path(f"compiled{suffix}").write_bytes(b"no module at all")
    refused(folder("runs/a", "compiled:make"))


def test_a_module_by_the_name_of_another_is_not_mistaken_for_it(module: Callable[[str], None], trace: Path) -> None:
    module("os.py")  # `os` is known already, so Python would take that one
    message = refused(folder("runs/a", "os:system", command="touch ran"))
    assert message.endswith("os.py; give yours a name that no other module has")
    assert not trace.exists() and not Path("ran").exists()


@pytest.mark.parametrize(
    ("name", "home"),
    [("getoutput", "subprocess"), ("shell", "subprocess"), ("Identity", "torch.nn.modules.linear")],
)
def test_what_a_module_has_from_elsewhere_is_not_the_projects(
    module: Callable[[str], None], trace: Path, name: str, home: str
) -> None:
    module("mynet.py")
    assert f"the module '{home}' is not of the project" in refused(
        folder("runs/a", f"mynet:{name}", args="touch ran")
    )
    assert trace.read_text() == "imported " and not Path("ran").exists()
    if name == "Identity":
        with pytest.raises(PellucidError, match="do not fit"):
            models.load("./runs/a", trust=["torch.nn"])


@pytest.mark.parametrize("name", ["system", "os"])
def test_what_makes_no_network_is_not_called(module: Callable[[str], None], name: str) -> None:
    module("mynet.py")
    with pytest.raises(PellucidError, match="name a function or class that makes a network"):
        models.load(folder("runs/a", f"mynet:{name}", command="touch ran"))
    assert not Path("ran").exists()


@pytest.mark.parametrize("trust", [["evil"], ["evil.net"], "evil", True, ["other", "evil"]])
def test_what_is_trusted_is_called(module: Callable[[str], None], trust: Any) -> None:
    module("evil/net.py")
    run = folder("evil/run", "evil.net:make")
    refused(run, trust=["evi"])
    refused(run, trust=["evil.net.more"])
    assert models.load(run, trust=trust)
    refused(run)


def test_a_folder_by_the_name_of_a_trusted_package_is_not_meant(
    module: Callable[[str], None], trace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = tmp_path / "site" / "evil_package.py"
    installed.parent.mkdir()
    installed.write_text("from torch import nn\ndef make():\n    return nn.Flatten()")
    module("evil_package/__init__.py")
    run = folder("evil_package/run", "evil_package:make")
    monkeypatch.setattr(sys, "path", ["", str(Path.cwd()), *sys.path, str(installed.parent)])
    with pytest.raises(PellucidError, match="do not fit"):
        models.load(run, trust=["evil_package"])
    assert not trace.exists()


def test_a_name_that_is_typed_is_the_persons_own(module: Callable[[str], None], trace: Path) -> None:
    module("evil/net.py")
    assert models.load("evil.net:make") and models.build("evil.net:make")
    assert trace.read_text() == "imported called called "


def test_settings_in_a_file_are_not_the_persons_own(module: Callable[[str], None], trace: Path) -> None:
    module("evil/net.py")
    Path("evil/transfer.toml").write_text('source = "evil.net:make"\nattack = {kind = "pgd"}')
    attack = config.build(Transfer, config.read(Path("evil/transfer.toml")))
    assert isinstance(attack.source, Written)
    again = config.build(Transfer, config.dump(attack) | {"attack": config.dump(PGD())})
    for one in (attack, again):
        with pytest.raises(NotTrusted, match=r"evil/transfer\.toml names"):
            models.load(one.source)
    assert not trace.exists()
    typed = config.build(Transfer, config.override(config.dump(attack), "source=evil.net:make"))
    assert models.load(typed.source)


def test_texts_remember_their_file() -> None:
    file = Path("a.toml")
    table = written({"a": [{"b": "c"}], "n": 1, "s": "t"}, file)
    assert table == {"a": [{"b": "c"}], "n": 1, "s": "t"}
    assert origin(table["a"]) == origin(table["s"]) == origin(table) == origin((table,)) == file
    assert origin({"a": ["c", 1]}) is None and origin(table["n"]) is None


def test_trust_ends_with_its_block(tmp_path: Path) -> None:
    program = tmp_path / "net.pt"
    with trusting(["a"]):
        with trusting([str(program)]):
            assert trusts_module("a.b") and trusts_file(program) and not trusts_module("ab")
        assert trusts_module("a") and not trusts_file(program)
        with trusting(True):
            assert trusts_module("anything") and trusts_file(program)
        assert not trusts_module("anything")
    assert not trusts_module("a")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("timm:hf-hub:stranger/net", {}),
        ("timm:local-dir:here", {}),
        ("timm:resnet18", {"checkpoint_path": "theirs.pth"}),
        ("timm:resnet18", {"pretrained_cfg": {"url": "http://stranger"}}),
        ("timm:resnet18", {"drop_rate": ["theirs"]}),
    ],
)
def test_timm_fetches_nothing_that_a_file_names(
    monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    run = folder("runs/a", name, **options)
    assert refused(run).startswith(f"runs/a/model.json names '{name}' with more than numbers")
    with pytest.raises(MissingExtra):
        models.load(run, trust=["timm"])
    with pytest.raises(MissingExtra):
        models.load(folder("runs/a", "timm:resnet18.a1_in1k", num_classes=10, pretrained=True))
    settings = json.loads(Path("runs/a/model.json").read_text())
    with pytest.raises(NotTrusted):
        models.load("timm:resnet18", options=written({**settings["options"], "checkpoint_path": "a"}, Path("a.toml")))
    with pytest.raises(MissingExtra):
        models.load("timm:resnet18", options={"checkpoint_path": "mine"})


def test_a_file_names_no_download(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot_download(*_: Any, **__: Any) -> str:
        raise OSError("was fetched")

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))
    source = Written.by(Path("a.toml"), "hf:owner/net")
    with pytest.raises(NotTrusted, match="add --trust hf:owner/net"):
        models.load(source)
    for typed, trust in ((source, ["hf:owner/net"]), ("hf:owner/net", [])):
        with pytest.raises(DownloadError):
            models.load(typed, trust=trust)


def test_a_listed_network_needs_no_trust() -> None:
    with pytest.raises(WeightsError, match="do not fit the network: it lacks fc1"):
        models.load(folder("theirs", "mlp", shape=[1, 2, 2], hidden=[3], classes=2))
    with pytest.raises(UnknownName):
        models.load(folder("theirs2", "no-such-network"))


def test_the_current_folder_is_as_before() -> None:
    before = list(sys.path), Path.cwd()
    with pytest.raises(UnknownName):
        models.load(folder("runs/a", "no_such_module_at_all:make"), trust=["no_such_module_at_all"])
    assert (list(sys.path), Path.cwd()) == before

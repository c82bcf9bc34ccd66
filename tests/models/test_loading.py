import json
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import nn

from pellucid.errors import ConfigError, DownloadError, MissingExtra, RunError, UnknownName, WeightsError
from pellucid.models import build, load

OPTIONS = {"shape": [1, 2, 2], "hidden": [3], "classes": 2}
MINE = """
from torch import nn
def make(units=2):
    return nn.Sequential(nn.Flatten(), nn.Linear(4, units))
network = make()
answer = 42
"""


def exactly(message: str) -> str:
    return f"^{re.escape(message)}$"


def same(first: nn.Module, second: nn.Module) -> bool:
    ours, theirs = first.state_dict(), second.state_dict()
    return list(ours) == list(theirs) and all(torch.equal(ours[name], theirs[name]) for name in ours)


def run_folder(folder: Path, name: str = "mlp", options: object = OPTIONS, seed: int = 5) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_text(json.dumps({"name": name, "options": options}))
    safetensors.torch.save_file(build("mlp", seed=seed, **OPTIONS).state_dict(), folder / "model.safetensors")
    return folder


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("pellucid_mine", "pellucid_broken", "pellucid_needy"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / "pellucid_mine.py").write_text(MINE)
    (tmp_path / "pellucid_broken.py").write_text("raise RuntimeError('no\\ngood')")
    (tmp_path / "pellucid_needy.py").write_text("import pellucid_absent")
    return tmp_path


def test_a_listed_network_comes_in_eval_mode_with_its_weights(tmp_path: Path) -> None:
    trained = build("mlp", seed=5, **OPTIONS)
    torch.save({"state_dict": trained.state_dict()}, tmp_path / "net.pt")
    model = load("mlp", weights=str(tmp_path / "net.pt"), options=OPTIONS)
    assert same(model, trained) and not same(load("mlp", options=OPTIONS), trained)
    assert not any(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_a_function_makes_a_network() -> None:
    model = load(nn.Dropout)
    assert isinstance(model, nn.Dropout) and not model.training


def test_an_import_path_is_looked_for_in_the_current_folder(mine: Path) -> None:
    path = list(sys.path)
    model = load("pellucid_mine:make", options={"units": 7})
    assert model(torch.zeros(1, 1, 2, 2)).shape == (1, 7)
    assert sys.path == path


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("resnet19", "no model is called 'resnet19' (did you mean 'resnet18'?)"),
        (
            "pellucid_absent:make",
            "no module 'pellucid_absent' for 'pellucid_absent:make'; "
            "install it, or start in the folder that holds it",
        ),
        (
            "torch.absent:make",
            "no module 'torch.absent' for 'torch.absent:make'; install it, or start in the folder that holds it",
        ),
        ("pellucid_mine:mak", "the module 'pellucid_mine' has no 'mak' (did you mean 'make'?)"),
    ],
)
@pytest.mark.usefixtures("mine")
def test_a_name_that_is_nowhere_is_an_error(source: str, message: str) -> None:
    with pytest.raises(UnknownName, match=exactly(message)):
        load(source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "pellucid_mine:network",
            "'pellucid_mine:network' is a Sequential; name a function or class that makes a network",
        ),
        ("pellucid_mine:answer", "'pellucid_mine:answer' is a int; name a function or class that makes a network"),
        (
            "pellucid_broken:make",
            "importing 'pellucid_broken' for 'pellucid_broken:make' failed: RuntimeError: no good",
        ),
        (
            "pellucid_needy:make",
            "importing 'pellucid_needy' for 'pellucid_needy:make' failed: "
            "ModuleNotFoundError: No module named 'pellucid_absent'",
        ),
    ],
)
@pytest.mark.usefixtures("mine")
def test_an_import_path_to_something_else_is_an_error(source: str, message: str) -> None:
    with pytest.raises(ConfigError, match=exactly(message)):
        load(source)


def test_a_run_folder_is_a_network(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    assert same(load(str(folder)), build("mlp", seed=5, **OPTIONS))


def test_other_weights_may_be_put_into_a_run_folders_network(tmp_path: Path) -> None:
    other = run_folder(tmp_path / "other", seed=6) / "model.safetensors"
    assert same(load(str(run_folder(tmp_path / "run")), weights=other), build("mlp", seed=6, **OPTIONS))


def test_a_folder_called_like_a_network_does_not_hide_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_folder(tmp_path / "lenet")
    run_folder(tmp_path / "mine")
    assert same(load("lenet"), build("lenet"))
    assert same(load("./lenet"), load("mine"))


def test_a_run_folder_that_does_not_exist_is_named() -> None:
    with pytest.raises(RunError, match=exactly("there is no run folder runs/absent")):
        load("runs/absent")


def test_a_run_folder_says_which_network_its_weights_are_for(tmp_path: Path) -> None:
    message = f"{tmp_path} has no model.json to say which network its weights are for"
    with pytest.raises(RunError, match=exactly(message)):
        load(str(tmp_path))


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '"mlp"', '{"name": 3}', '{"name": "mlp", "options": [1]}', "null", "[" * 100_000],
    ids=lambda content: content[:20],
)
def test_a_damaged_description_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.json").write_text(content)
    message = f'{tmp_path}/model.json is not a table like {{"name": "simple-cnn", "options": {{}}}}; make it one'
    with pytest.raises(RunError, match=exactly(message)):
        load(str(tmp_path))


def test_a_run_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (run_folder(tmp_path / "run") / "model.safetensors").unlink()
    path = tmp_path / "run" / "model.safetensors"
    message = f"there is no weights file {path}; give a .safetensors file or one written by torch.save"
    with pytest.raises(WeightsError, match=exactly(message)):
        load(str(tmp_path / "run"))


def test_a_file_with_a_suffix_that_weights_have_may_be_a_dotted_folder(tmp_path: Path) -> None:
    assert same(load(str(run_folder(tmp_path / "run.v2"))), build("mlp", seed=5, **OPTIONS))


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    calls: list[dict[str, Any]] = []

    def create_model(model_name: str, pretrained: bool = False, **kwargs: Any) -> nn.Module:
        calls.append({"name": model_name, "pretrained": pretrained} | kwargs)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, kwargs.get("num_classes", 1000)))

    def resolve_model_data_config(_model: nn.Module) -> dict[str, Any]:
        return {"input_size": (3, 2, 2), "mean": (0.5, 0.5, 0.5), "std": (0.25, 0.25, 0.25)}

    package, data = ModuleType("timm"), ModuleType("timm.data")
    monkeypatch.setattr(package, "create_model", create_model, raising=False)
    monkeypatch.setattr(data, "resolve_model_data_config", resolve_model_data_config, raising=False)
    monkeypatch.setitem(sys.modules, "timm", package)
    monkeypatch.setitem(sys.modules, "timm.data", data)
    return calls


def test_a_network_of_timm_gets_its_normalization(timm: list[dict[str, Any]]) -> None:
    model = load("timm:tiny", options={"num_classes": 4})
    assert timm == [{"name": "tiny", "pretrained": True, "num_classes": 4}]
    x = torch.full((1, 3, 2, 2), 0.75)
    torch.testing.assert_close(model(x), model.get_submodule("network")(torch.ones(1, 3, 2, 2)))


def test_weights_of_timm_and_of_ours_fit_its_network(timm: list[dict[str, Any]], tmp_path: Path) -> None:
    trained = build("timm:tiny", seed=8, num_classes=4)
    torch.save(trained.state_dict(), tmp_path / "ours.pt")
    torch.save(trained.get_submodule("network").state_dict(), tmp_path / "timms.pt")
    for file in ("ours.pt", "timms.pt"):
        assert same(load("timm:tiny", weights=tmp_path / file, options={"num_classes": 4}), trained)
    assert not any(call["pretrained"] for call in timm)


def test_timm_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    message = "'timm:resnet18' needs timm, which is missing; pip install pellucid[timm]"
    with pytest.raises(MissingExtra, match=exactly(message)):
        load("timm:resnet18")


def test_a_timm_that_cannot_be_imported_says_why(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(mine))
    monkeypatch.delitem(sys.modules, "timm", raising=False)
    (mine / "timm.py").write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    message = (
        "'timm:resnet18' needs timm, which cannot be imported "
        "(RuntimeError: operator torchvision::nms does not exist)"
    )
    with pytest.raises(MissingExtra, match=exactly(message)):
        load("timm:resnet18")


def hub(monkeypatch: pytest.MonkeyPatch, folder: Path | Exception) -> None:
    def snapshot_download(repo_id: str, *, allow_patterns: list[str]) -> str:
        assert repo_id == "owner/net"
        assert allow_patterns[:3] == ["model.json", "model.safetensors", "config.json"]
        assert not [pattern for pattern in allow_patterns if not pattern.endswith((".json", ".safetensors"))]
        if isinstance(folder, Exception):
            raise folder
        return str(folder)

    monkeypatch.setitem(sys.modules, "huggingface_hub", SimpleNamespace(snapshot_download=snapshot_download))


def test_a_network_comes_from_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, run_folder(tmp_path / "run"))
    assert same(load("hf:owner/net"), build("mlp", seed=5, **OPTIONS))


def test_a_download_may_not_name_code_to_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hub(monkeypatch, run_folder(tmp_path / "run", name="os:system", options={"command": "touch ran"}))
    message = "'hf:owner/net' asks for 'os:system'; of downloads only listed networks are built"
    with pytest.raises(RunError, match=exactly(message)):
        load("hf:owner/net")
    assert not (tmp_path / "ran").exists()


def test_a_failed_download_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    hub(monkeypatch, OSError("no\nroute"))
    with pytest.raises(DownloadError, match=exactly("'hf:owner/net' could not be fetched: no route")):
        load("hf:owner/net")


def test_the_hub_is_asked_for_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    message = "'hf:owner/net' needs huggingface_hub, which is missing; pip install pellucid[huggingface]"
    with pytest.raises(MissingExtra, match=exactly(message)):
        load("hf:owner/net")

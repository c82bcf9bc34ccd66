"""`--devices`: one command's work by several processes, of which only the first speaks."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from click.testing import CliRunner

from command import refused
from pellucid import cli
from pellucid.cli.spread import Crew, crew
from pellucid.errors import ConfigError
from pellucid.ledger import Claims, Folder, Table
from pellucid.subjects import check_device

NETWORK = """
import os, signal, time
from pathlib import Path
import torch

class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = torch.nn.Sequential(torch.nn.Linear(64, 16), torch.nn.Softplus(), torch.nn.Linear(16, 10))

    def forward(self, x):
        rank, met = os.environ.get("LOCAL_RANK"), Path("met")
        if rank == "0":  # which it is from the moment on where there are others
            while not met.exists():
                time.sleep(0.02)
        elif rank and any(str(os.getpid()) in path.read_text() for path in Path().rglob("*.claim")):
            met.write_text(str(os.getpid()))
            how = os.environ.get("HOW")
            if how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            if how == "failed":
                raise RuntimeError("this device is broken")
            while how == "endless":
                time.sleep(0.1)
        return self.layers(x.flatten(1))

def make():
    return Network().eval()
"""
ASKED = ["net:make", "--data", "digits", "--n", "20", "--device", "cpu", "--batch", "4", "--json"]
COMMANDS = {
    "measure": [
        "measure",
        *ASKED,
        "--attack",
        "pgd,random-point",
        "--eps",
        "0.1",
        "--set",
        "pgd.steps=5",
        "--no-verdicts",
    ],
    "judge": ["judge", *ASKED, "--metric", "sparsity,pixel-flipping", "--explainer", "gradient"],
}
AUDIT = ["audit", *[word for word in ASKED if word not in ("--batch", "4")], "--profile", "quick", "--budget", "none"]


def begun(folder: Path, command: list[str], out: str, devices: int = 2, how: str = "") -> "subprocess.Popen[str]":
    (folder / "net.py").write_text(NETWORK)
    return subprocess.Popen(
        [sys.executable, "-m", "pellucid", *command, "--out", out, "--devices", str(devices)],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "HOW": how},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        printed, said = process.communicate(timeout=240)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    return process.returncode, printed, said


def kept(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file; who was last in a folder is nobody's result, and neither is the order in which chunks came."""
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() and path.name != ".lock" else b""
        lines = b"\n".join(sorted(content.split(b"\n"))) if path.name == "checksums.txt" else content
        yield str(path.relative_to(folder)), lines


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Path, Any]]:
    """The folder that one process makes, and what it prints."""

    @functools.cache
    def made(name: str) -> tuple[Path, Any]:
        folder = tmp_path_factory.mktemp("alone")
        code, printed, said = ended(begun(folder, COMMANDS[name], "out", devices=1))
        assert code == 0, said
        return folder, json.loads(printed)

    return made


Alone = Callable[[str], tuple[Path, Any]]


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_two_processes_make_what_one_makes_and_print_it_once(name: str, alone: Alone, tmp_path: Path) -> None:
    code, printed, said = ended(begun(tmp_path, COMMANDS[name], "out"))
    assert (code, said) == (0, "")
    assert (tmp_path / "met").exists(), "both were at work at once"
    folder, told = alone(name)
    assert json.loads(printed) == told
    assert dict(kept(tmp_path / "out")) == dict(kept(folder / "out"))


def found(folder: Path) -> dict[str, bytes]:
    """What an audit found: its pictures and its tables, without times of day and durations."""
    kinds = (".png", ".csv", ".npz", ".npy", ".md")
    return {name: content for name, content in kept(folder) if name.endswith(kinds)}


@pytest.mark.slow
@pytest.mark.parametrize("how", ["", "killed"])
def test_an_audit_is_shared_part_by_part(how: str, tmp_path: Path) -> None:
    code, printed, said = ended(begun(tmp_path, AUDIT, "out", how=how))
    assert code == 0, said
    assert said == ("warning: 1 of 2 processes ended early; the others did what was left\n" if how else "")
    assert (tmp_path / "met").exists(), "both were at work at once"
    assert not list(tmp_path.rglob("*.claim"))
    code, alone, said = ended(begun(tmp_path, AUDIT, "alone", devices=1))
    assert (code, said) == (0, "")
    told, expected = json.loads(printed), json.loads(alone)
    assert told["failures"] == [] and told["figures"]
    for content in (told, expected):
        del content["path"], content["page"]
    assert told == expected
    assert found(tmp_path / "out") == found(tmp_path / "alone")


@pytest.mark.slow
def test_a_budget_is_kept_by_the_first(tmp_path: Path) -> None:
    (tmp_path / "met").touch()  # nobody waits for anybody
    command = [word if word != "none" else "5m" for word in AUDIT]
    code, printed, said = ended(begun(tmp_path, command, "out"))
    assert (code, said) == (0, "")
    told = json.loads((tmp_path / "out" / "audit.json").read_text())
    assert told["budget"]["seconds"] == 300 and json.loads(printed)["failures"] == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["killed", "failed"])
def test_nothing_is_lost_with_a_process_that_dies(how: str, alone: Alone, tmp_path: Path) -> None:
    code, printed, said = ended(begun(tmp_path, COMMANDS["measure"], "out", how=how))
    assert code == 0, said
    if how == "killed":
        assert said == "warning: 1 of 2 processes ended early; the others did what was left\n"
    else:
        assert said.startswith("warning: process 2 of 2 gave up: NetworkError: ") and "device is broken" in said
    folder, told = alone("measure")
    assert json.loads(printed) == told
    assert dict(kept(tmp_path / "out")) == dict(kept(folder / "out"))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_all_end_with_the_first(number: signal.Signals, tmp_path: Path) -> None:
    process = begun(tmp_path, COMMANDS["measure"], "out", how="endless")
    while not (tmp_path / "met").exists():
        assert process.poll() is None, ended(process)
        time.sleep(0.05)
    process.send_signal(number)
    code, printed, said = ended(process)
    words = "stopped; the same command goes on where it was stopped\n"
    assert (code, printed, said) == ((143, "", words) if number == signal.SIGTERM else (-signal.SIGKILL, "", ""))
    (chunks,) = tmp_path.glob("out/*pgd*/chunks")
    until = time.monotonic() + 20
    while not Claims(chunks).sweep():
        assert time.monotonic() < until, "somebody still holds a chunk"
        time.sleep(0.1)


def test_what_cannot_be_is_refused_in_one_line() -> None:
    command = ["measure", "mlp", "--data", "digits", "--device", "cpu"]
    none = CliRunner().invoke(cli.cli, [*command, "--devices", "0"])
    assert none.exit_code == 2 and "0 is not in the range x>=1" in none.stderr
    assert refused(*command, "--devices", "2", "--part", "1/2") == (
        "--part is for processes that you start by yourself; give it or --devices"
    )


@pytest.mark.parametrize("device", ["cuda", "auto"])
def test_more_devices_than_there_are_are_refused(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(
        ConfigError, match=r"^there are 2 CUDA devices here, and 4 are asked for; ask for 2 at most, or"
    ):
        crew(device, 4)
    check_device("cuda:1")
    with pytest.raises(ConfigError, match="and 3 are asked for"):
        check_device("cuda:2")


def test_it_is_said_where_there_are_too_few_chunks_to_share() -> None:
    assert Crew("cpu", 0, 2).too_many(20, 10) == []
    assert Crew("cpu", 0, 3).too_many(20, 10) == [
        "20 images make 2 chunks of 10, for 3 processes to share; with --batch 6 each has one"
    ]


def test_what_a_process_that_was_ended_left_beside_the_whole_is_cleared_away(tmp_path: Path) -> None:
    first, second = (Folder(tmp_path / "work", Table, {"of": "this"}, 2) for _ in range(2))
    first.begin()
    second.begin()
    for number in range(2):
        assert first.claim(number)
        first.keep(number, {"value": torch.arange(2)})
    assert second.finished() is None
    left = (tmp_path / "work" / "chunks" / "00000.npz").read_bytes()
    first.finish()
    (tmp_path / "work" / "chunks").mkdir(exist_ok=True)
    (tmp_path / "work" / "chunks" / "00000.npz").write_bytes(left)
    found = second.finished()
    second.close()
    assert found is not None and len(found) == 4
    assert not (tmp_path / "work" / "chunks").exists()

"""The same study on a cluster of two nodes, one of which is killed in the middle."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import torch

from pellucid import studies
from pellucid.errors import ConfigError
from pellucid.ledger import Job, Progress
from pellucid.studies import OnRay, Result
from small_study import PLAN, STUDY

pytest.importorskip("ray", reason="the extra ray is not installed")
pytestmark = pytest.mark.slow

_START = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--node-ip-address=127.0.0.1"]
_NODE = ["--num-cpus=1", "--object-store-memory=100000000", "--disable-usage-stats"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def below(process: int) -> list[int]:
    """The processes that it has started, and those that they have, by what the system says of parents."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [process]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def called(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def killed(process: int) -> None:
    for one in [process, *below(process)]:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


@contextmanager
def node(*options: str, folder: Path) -> Generator["subprocess.Popen[bytes]"]:
    """A node of a cluster, which goes with all that it has started."""
    environment = {**os.environ, "RAY_DISABLE_DOCKER_CPU_WARNING": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    with (folder / f"node-{len(options)}.log").open("wb") as log:
        started = subprocess.Popen(
            [*_START, *_NODE, *options], stdout=log, stderr=log, env=environment, start_new_session=True
        )
        try:
            yield started
        finally:
            killed(started.pid)
            started.wait()


@contextmanager
def cluster(folder: Path) -> Generator[tuple[str, "subprocess.Popen[bytes]"]]:
    """The address of a cluster of two nodes on loopback, and the node that is not its head."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    ports = ["--min-worker-port=0", "--max-worker-port=0"]
    head = ["--head", f"--port={port}", "--include-dashboard=false", f"--temp-dir={folder / 'ray'}", *ports]
    with node(*head, folder=folder):
        answers(port)
        with node(f"--address={address}", *ports, folder=folder) as second:
            yield address, second


def answers(port: int) -> None:
    for _ in range(240):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.25)
    raise AssertionError("the head of the cluster does not answer")


def carried_out(out: Path, **how: object) -> Result:
    return studies.carry_out(STUDY, out, PLAN, device="cpu", **how)  # pyright: ignore[reportArgumentType]


def figures(result: Result) -> list[object]:
    return [(cell.row, cell.seed, cell.figures, cell.missing, cell.failure) for cell in result.cells]


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As Ray has it for a task of one processor."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.usefixtures("one_thread")
def test_two_nodes_of_which_one_is_killed_come_to_the_same_to_the_bit(
    tmp_path: Path,
) -> None:
    heard: list[Progress] = []
    # a socket's path may have no more than 107 letters
    with (
        tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as short,
        cluster(Path(short)) as (address, second),
    ):
        raylets = wait_for_raylet(second.pid)
        at_work = threading.Event()

        def watch(step: Progress) -> None:
            heard.append(step)
            if step.doing == "networks" and step.done >= 2 and not at_work.is_set():
                at_work.set()
                for one in raylets:
                    os.kill(one, signal.SIGKILL)

        found = carried_out(tmp_path / "ray", executor=OnRay(address), job=Job(1, watch=watch))
        assert at_work.is_set()
    alone = carried_out(tmp_path / "here")
    assert figures(found) == figures(alone)
    assert not found.failures
    assert found.csv() == alone.csv()
    assert any(step.doing == "training" for step in heard)


def wait_for_raylet(process: int) -> list[int]:
    for _ in range(240):
        if found := [one for one in below(process) if "/raylet " in called(one)]:
            time.sleep(3)  # until it is known to the head
            return found
        time.sleep(0.25)
    raise AssertionError("the second node has not begun")


@pytest.mark.filterwarnings("ignore")
def test_no_cluster_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at 'auto'.*ray start --head"):
        carried_out(tmp_path, executor=OnRay())

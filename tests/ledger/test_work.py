"""Works of chunks that are stopped anywhere, shared, divided and damaged: they come to the same."""

import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from pellucid.batch import Batch
from pellucid.data import TensorSplit
from pellucid.errors import ConfigError, MeasurementError, NoRoom, PartDone, RunBusy
from pellucid.ledger import (
    Claims,
    Folder,
    Job,
    Progress,
    Table,
    all_of,
    by_images,
    in_chunks,
    steps_in_chunks,
    stored,
)
from pellucid.ledger.halving import steps_in_halves

ABOUT = {"what": "squares"}


class Stop(Exception):
    """What ends a work before its time."""


def split(rows: int) -> TensorSplit:
    return TensorSplit(torch.linspace(0, 1, rows)[:, None, None, None], torch.zeros(rows).long(), ("a",))


def work(
    rows: int,
    batch: int,
    folder: Path | None,
    *,
    part: str = "1/1",
    made: Callable[[Sequence[int]], None] = lambda _: None,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Table:
    """The square of each image; `made` hears of the rows that are made."""

    def columns(images: Batch) -> dict[str, Tensor]:
        made(images.index.tolist())
        return {"index": images.index, "square": images.x.flatten().square()}

    job = Job(batch, part, watch)
    store = stored(folder, Table, ABOUT, job)
    return in_chunks(store, by_images(split(rows), columns), rows=rows, doing="squares", job=job)


def same(one: Table, other: Table) -> bool:
    return one.about == other.about and all(
        torch.equal(one.columns[name], other.columns[name]) for name in one.columns
    )


@given(
    rows=st.integers(1, 12),
    batch=st.integers(1, 13),
    stops=st.lists(st.integers(0, 6), max_size=4),
    other=st.integers(1, 13),
)
def test_a_work_that_is_stopped_anywhere_comes_to_the_same_and_makes_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, rows: int, batch: int, stops: list[int], other: int
) -> None:
    folder, seen = tmp_path_factory.mktemp("work"), list[int]()
    for stop in stops:
        count = 0

        def watch(_: Progress, stop: int = stop) -> None:
            nonlocal count
            count += 1
            if count > stop:
                raise Stop

        with suppress(Stop):
            work(rows, batch, folder, made=seen.extend, watch=watch)
    # what was begun is gone on with in chunks of its size
    found = work(rows, other if stops else batch, folder, made=seen.extend)
    assert same(found, work(rows, batch, None))
    assert sorted(seen) == list(range(rows))
    assert not list((folder / "chunks").glob("*")) and same(work(rows, other, folder), found)


@given(rows=st.integers(1, 12), batch=st.integers(1, 5), of=st.integers(1, 5), data=st.data())
def test_parts_in_any_order_come_to_the_whole(
    tmp_path_factory: pytest.TempPathFactory, rows: int, batch: int, of: int, data: st.DataObject
) -> None:
    folder, seen = tmp_path_factory.mktemp("work"), list[int]()
    order = data.draw(st.permutations(range(1, of + 1)))
    found: Table | None = None
    for number in order:
        try:
            found = work(rows, batch, folder, part=f"{number}/{of}", made=seen.extend)
        except PartDone:
            assert found is None
    assert found is not None and same(found, work(rows, batch, None))
    assert sorted(seen) == list(range(rows))


def test_whoever_keeps_a_chunk_after_all_were_joined_leaves_nothing_behind(tmp_path: Path) -> None:
    slow, fast = (stored(tmp_path, Table, ABOUT, Job(2)) for _ in range(2))
    assert slow.begin() == fast.begin() == 2
    assert slow.claim(0)
    chunk = {"square": torch.ones(2)}
    fast.keep(0, chunk)
    whole = fast.finish()
    slow.keep(0, chunk)
    found = slow.finished()
    slow.close()
    assert found is not None and same(found, whole)
    assert not (tmp_path / "chunks").exists() and (tmp_path / "record.npz").exists()


def test_a_part_says_what_is_missing_and_the_whole_makes_it(tmp_path: Path) -> None:
    message = (
        f"part 2/3 is done, and 3 of 4 chunks of '{tmp_path}' are still to be made; give the other parts, or the "
        "same command without a part to make them here"
    )
    with pytest.raises(PartDone, match=f"^{re.escape(message)}$"):
        work(8, 2, tmp_path, part="2/3")
    seen: list[int] = []
    work(8, 2, tmp_path, made=seen.extend)
    assert sorted(seen) == [0, 1, 4, 5, 6, 7]


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/2", "1/2/3", "a/b", "1.5/2"])
def test_parts_that_are_none(text: str) -> None:
    message = f"part is '{text}'; give one such as 2/8, the second of eight"
    with pytest.raises(ConfigError, match=f"^{re.escape(message)}$"):
        Job(part=text)


def test_nothing_at_once_is_no_job() -> None:
    with pytest.raises(ConfigError, match=r"^batch is 0; work on 1 or more at once$"):
        Job(0)


def test_a_job_says_what_is_done_by_another_name() -> None:
    said: list[Progress] = []
    work(2, 1, None, watch=Job(watch=said.append).called("mine").watch)
    assert said == [Progress("mine", 1, 2), Progress("mine", 2, 2)]


def test_a_part_needs_a_folder() -> None:
    with pytest.raises(ConfigError, match=r"^part 1/2 of a work needs a folder that keeps it; give one$"):
        work(3, 1, None, part="1/2")


def test_of_several_works_all_are_done_before_one_says_that_parts_are_missing() -> None:
    done: list[str] = []

    def missing() -> str:
        done.append("a")
        raise PartDone("there is more")

    with pytest.raises(PartDone, match="^there is more$"):
        all_of([missing, lambda: done.append("b"), missing])
    assert done == ["a", "b", "a"]
    assert all_of([lambda: 1, lambda: 2]) == [1, 2]


def test_what_another_process_makes_is_left_to_it(tmp_path: Path) -> None:
    """Another one has the second chunk until three others are made, then dies: its chunk is taken over."""
    Folder(tmp_path, Table, ABOUT, 2).begin()
    other = Claims(tmp_path / "chunks")
    assert other.take("00001")
    steps: list[Progress] = []

    def watch(step: Progress) -> None:
        steps.append(step)
        if step.done == 6:
            other.close()

    seen: list[int] = []
    found = work(8, 2, tmp_path, made=seen.extend, watch=watch)
    assert seen == [0, 1, 4, 5, 6, 7, 2, 3]
    assert same(found, work(8, 2, None))


def test_what_another_process_has_made_meanwhile_is_not_made_again(tmp_path: Path) -> None:
    seen: list[int] = []

    def watch(step: Progress) -> None:
        if step.done == 2:
            with pytest.raises(PartDone):
                work(8, 2, tmp_path, part="2/4")

    found = work(8, 2, tmp_path, made=seen.extend, watch=watch)
    assert seen == [0, 1, 4, 5, 6, 7] and same(found, work(8, 2, None))


def test_what_another_process_has_joined_meanwhile_is_read(tmp_path: Path) -> None:
    seen: list[int] = []

    def watch(step: Progress) -> None:
        if step.done == 2 and len(seen) == 2:
            work(8, 2, tmp_path)

    found = work(8, 2, tmp_path, made=seen.extend, watch=watch)
    assert seen == [0, 1] and same(found, work(8, 2, None))


def test_a_damaged_chunk_alone_is_made_again(tmp_path: Path) -> None:
    with pytest.raises(PartDone):
        work(8, 2, tmp_path, part="1/2")
    (tmp_path / "chunks" / "00002.npz").write_bytes(b"something else")
    seen: list[int] = []
    with pytest.warns(UserWarning, match=r"00002\.npz' is damaged: .*; it is made again") as said:
        found = work(8, 2, tmp_path, made=seen.extend)
    assert len(said) == 1 and sorted(seen) == [2, 3, 4, 5, 6, 7] and same(found, work(8, 2, None))


def test_chunks_of_another_size_are_not_forgotten_while_somebody_makes_them(tmp_path: Path) -> None:
    with pytest.raises(PartDone):
        work(8, 2, tmp_path, part="1/2")
    (tmp_path / "measurement.json").unlink()
    other = Claims(tmp_path / "chunks")
    assert other.take("00001")
    with pytest.raises(RunBusy, match="is in use by another process; wait for it, or end it"):
        work(8, 3, tmp_path)
    other.close()
    assert same(work(8, 3, tmp_path), work(8, 3, None))


def test_a_folder_holds_one_work(tmp_path: Path) -> None:
    work(3, 1, tmp_path)
    with pytest.raises(MeasurementError, match="holds another measurement; give each a folder of its own"):
        Folder(tmp_path, Table, {"what": "cubes"}, 1).begin()


def test_what_does_not_fit_is_halved_down_to_one() -> None:
    tried: list[int] = []

    def steps(items: Sequence[int]) -> Generator[str, None, Tensor]:
        tried.append(len(items))
        yield "begun"
        if len(items) > 1:
            raise MemoryError
        return torch.tensor(items)

    found = steps_in_halves(steps, [1, 2, 3])
    said: list[str] = []
    with pytest.raises(StopIteration) as end:
        while True:
            said.append(next(found))
    assert end.value.value.tolist() == [1, 2, 3] and tried == [3, 1, 2, 1, 1] and said == ["begun"] * 5

    def never(items: Sequence[int]) -> Generator[str, None, Tensor]:
        yield "begun"
        raise MemoryError("not even one")

    with pytest.raises(NoRoom):
        list(steps_in_halves(never, [1, 2]))


def test_progress_within_a_chunk_is_added_to_what_is_done(tmp_path: Path) -> None:
    def make(numbers: Iterator[int], size: int) -> Iterator[dict[str, Tensor] | Progress]:
        for number in numbers:
            for epoch in (1, 2):
                yield Progress("training", epoch * 2, 0)
            yield {"number": torch.full((2,), number)}

    store = Folder(tmp_path, Table, ABOUT, 2)
    steps = list(steps_in_chunks(store, make, rows=4, each=2, doing="training"))
    assert [(step.done, step.total) for step in steps] == [(2, 8), (4, 8), (4, 8), (6, 8), (8, 8), (8, 8)]


SQUARES = """
import sys, time, pathlib
sys.path[:0] = {paths!r}
from test_work import work
folder, ready, pause, part = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
def made(rows):
    print(*rows, sep="\\n", flush=True)
    time.sleep(pause)
print("ready", flush=True)
while not ready.exists():
    time.sleep(0.005)
found = work(24, 2, folder, part=part, made=made)
print("sum", found.columns["square"].double().sum().item(), len(found))
"""


def begun(folder: Path, ready: Path, pause: float, part: str = "1/1") -> subprocess.Popen[str]:
    code = SQUARES.format(paths=[str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", code, str(folder), str(ready), str(pause), part]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def started(others: Sequence[subprocess.Popen[str]], ready: Path) -> None:
    for other in others:
        assert other.stdout is not None and other.stdout.readline() == "ready\n"
    ready.touch()


def ended(others: Sequence[subprocess.Popen[str]]) -> list[list[str]]:
    said = [other.communicate(timeout=300) for other in others]
    assert [other.returncode for other in others] == [0] * len(others), said
    return [out.splitlines() for out, _ in said]


@pytest.mark.slow
@pytest.mark.parametrize("count", [2, 3])
def test_processes_in_one_folder_share_the_work_and_make_each_chunk_once(tmp_path: Path, count: int) -> None:
    folder, ready = tmp_path / "work", tmp_path / "ready"
    others = [begun(folder, ready, 0.1) for _ in range(count)]
    started(others, ready)
    said = ended(others)
    expected = work(24, 2, None)
    assert {lines[-1] for lines in said} == {f"sum {expected.columns['square'].double().sum().item()} 24"}
    shares = [[int(line) for line in lines[:-1]] for lines in said]
    assert sorted(row for rows in shares for row in rows) == list(range(24)), "each once"
    assert all(shares), "each process has made some"
    assert same(Table.load(folder / "record.npz"), expected)
    assert not list((folder / "chunks").glob("*"))


@pytest.mark.slow
def test_what_a_killed_process_had_claimed_is_taken_over(tmp_path: Path) -> None:
    folder, ready = tmp_path / "work", tmp_path / "ready"
    doomed, other = begun(folder, ready, 60), begun(folder, ready, 0.01)
    started([doomed], ready)
    assert doomed.stdout is not None
    first = doomed.stdout.readline()
    started([other], ready)
    assert other.stdout is not None
    seen = [other.stdout.readline() for _ in range(22)]
    assert first not in seen and other.poll() is None, "it waits for the last chunk"
    doomed.kill()
    doomed.communicate()
    (said,) = ended([other])
    assert said[0] == first.strip() and same(Table.load(folder / "record.npz"), work(24, 2, None))


@pytest.mark.slow
def test_parts_in_processes_of_their_own_come_to_the_whole(tmp_path: Path) -> None:
    folder, ready = tmp_path / "work", tmp_path / "ready"
    others = [begun(folder, ready, 0.02, f"{number}/3") for number in (1, 2, 3)]
    started(others, ready)
    said: list[Any] = [other.communicate(timeout=300) for other in others]
    assert 0 in [other.returncode for other in others], "the last one joins them"
    assert all(other.returncode == 0 or "PartDone: part" in err for other, (_, err) in zip(others, said, strict=True))
    assert same(Table.load(folder / "record.npz"), work(24, 2, None))

"""Long work, done chunk by chunk: kept, gone on with after a stop, and shared by whoever works in a folder."""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, Protocol, TypeVar, cast, runtime_checkable

import torch
from torch import Tensor

from pellucid.batch import Batch
from pellucid.errors import ConfigError, PartDone, count_of
from pellucid.ledger.folder import Columns
from pellucid.ledger.halving import in_halves_on_oom
from pellucid.ledger.job import Job
from pellucid.ledger.progress import Progress

_LOOK_AGAIN = 0.5  # seconds, where others are at the last chunks

T = TypeVar("T")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


@runtime_checkable
class Store(Protocol[In_contra, Out_co]):
    """A place where the chunks of a work are kept, with what they come to in the end."""

    @property
    def path(self) -> Path | None:
        """The folder; none where chunks are kept in memory."""
        ...

    def begin(self) -> int:
        """Write down what is made, or see that it is what was begun; how many rows a chunk has."""
        ...

    def whole(self) -> Out_co | None:
        """What the work came to, where it is complete already."""
        ...

    def has(self, number: int) -> bool:
        """Whether a chunk is done; what is damaged is said, and counts as not done."""
        ...

    def claim(self, number: int) -> bool:
        """Claim a chunk for this process; not where somebody else is at it, or the work is complete."""
        ...

    def release(self, number: int) -> None:
        """Give a claim up."""
        ...

    def keep(self, number: int, made: In_contra, /) -> None:
        """Keep a chunk, and give up the claim."""
        ...

    def finish(self) -> Out_co:
        """What all chunks come to."""
        ...

    def finished(self) -> Out_co | None:
        """What they came to, where somebody else has seen to that meanwhile."""
        ...

    def close(self) -> None:
        """Give up all claims."""
        ...


@runtime_checkable
class Images(Protocol):
    """What images are read from, in batches of rows."""

    def __len__(self) -> int:
        """How many there are."""
        ...

    def batches(self, plan: Iterable[Tensor]) -> Iterator[Batch]:
        """A batch for each tensor of rows."""
        ...


@dataclass(frozen=True)
class Numbered(Generic[T]):
    """A chunk with its number, from who makes several at once and gives them as they are done."""

    number: int
    made: T


Make = Callable[[Iterator[int], int], Iterator[T | Numbered[T] | Progress]]
"""From the numbers of chunks, as they are claimed, and the rows of a chunk, to each of them: in order, or numbered.

In between it may say how far it is within a chunk, to which what was done before is added.
"""


def in_chunks(
    store: Store[T, Out_co],
    make: Make[T],
    *,
    rows: int,
    doing: str,
    each: int = 1,
    words: Callable[[], str] = lambda: "",
    job: Job = Job(),
) -> Out_co:
    """Make what is missing of a work, telling `job.watch` after each chunk how far it is; what all chunks come to.

    Several processes may call this for one folder: each makes the chunks that nobody else is at, and waits for the
    last ones. With a `job.part` such as 2/8 it makes the second of eight shares and waits for nobody; whoever makes
    the last chunk joins them all. Progress counts `each` for a row.
    """
    return finished(steps_in_chunks(store, make, rows=rows, doing=doing, each=each, words=words, job=job), job)


def steps_in_chunks(
    store: Store[T, Out_co],
    make: Make[T],
    *,
    rows: int,
    doing: str,
    each: int = 1,
    words: Callable[[], str] = lambda: "",
    job: Job = Job(),
) -> Generator[Progress, None, Out_co]:
    """The same as a generator, for a work that is a step of another one."""
    if not job.whole and store.path is None:
        raise ConfigError(f"part {job.part} of a work needs a folder that keeps it; give one")
    size = store.begin()
    if (complete := store.whole()) is not None:
        yield Progress(doing, rows * each, rows * each, words())
        return complete
    count = -(-rows // size)
    done = {number for number in range(count) if store.has(number)}

    def progress() -> Progress:
        counted = sum(min(size, rows - number * size) for number in done)
        return Progress(doing, counted * each, rows * each, words())

    if done:
        yield progress()
    with closing(store):
        while len(done) < count:
            known, taken = len(done), deque[int]()
            for made in make(_claimed(store, [n for n in range(count) if job.holds(n)], done, taken), size):
                if isinstance(made, Progress):
                    yield replace(made, done=progress().done + made.done, total=rows * each)
                    continue
                number = made.number if isinstance(made, Numbered) else taken[0]
                taken.remove(number)
                store.keep(number, cast("T", made.made if isinstance(made, Numbered) else made))
                done.add(number)
                yield progress()
            news = {number for number in range(count) if number not in done and store.has(number)}
            # after that, since who joins chunks removes them last
            if (complete := store.finished()) is not None:
                yield Progress(doing, rows * each, rows * each, words())
                return complete
            if news:
                done |= news
                yield progress()
            if len(done) < count and not job.whole:
                raise PartDone(
                    f"part {job.part} is done, and {count - len(done)} of {count} chunks of '{store.path}' are still "
                    "to be made; give the other parts, or the same command without a part to make them here"
                )
            if len(done) == known:
                left = count_of(count - known, "chunk")
                yield replace(progress(), words=f"waiting for {left} that other processes have in hand")
                time.sleep(_LOOK_AGAIN)
        return store.finish()


def _claimed(store: Store[T, Out_co], numbers: Sequence[int], done: set[int], taken: deque[int]) -> Generator[int]:
    """Chunks that nobody has made and nobody else is at, claimed one after the other."""
    for number in numbers:
        if number in done or not store.claim(number):
            continue
        if store.has(number):  # by somebody who was faster
            store.release(number)
            done.add(number)
            continue
        taken.append(number)
        yield number


def finished(steps: Generator[Progress, None, T], job: Job) -> T:
    """What a work comes to, for callers who want to be told how far it is and nothing else."""
    with closing(steps):  # or its claims would be kept as long as somebody looks at an error of `watch`
        while True:
            try:
                progress = next(steps)
            except StopIteration as end:
                return end.value
            job.watch(progress)


def all_of(works: Iterable[Callable[[], T]]) -> list[T]:
    """What each of several works comes to; where parts are missing of some, the others are done before it is said."""
    found, missing = list[T](), list[PartDone]()
    for work in works:
        try:
            found.append(work())
        except PartDone as error:
            missing.append(error)
    if missing:
        raise missing[0]
    return found


def joined(parts: Sequence[Columns]) -> dict[str, Tensor]:
    """The rows of several parts one after the other."""
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


def by_images(
    images: Images,
    columns: Callable[[Batch], Mapping[str, Tensor]],
    join: Callable[[Sequence[Columns]], Columns] = joined,
) -> Make[Columns]:
    """Chunks of images, from what `columns` makes of a batch; where memory does not suffice, of half of it."""

    def make(numbers: Iterator[int], size: int) -> Iterator[Columns]:
        def on_the_cpu(batch: Batch) -> Columns:
            return {name: column.cpu() for name, column in columns(batch).items()}

        for _, batch in chunked(images, numbers, size):
            yield join(in_halves_on_oom(on_the_cpu, batch))

    return make


def chunked(images: Images, numbers: Iterator[int], size: int) -> Generator[tuple[int, Batch]]:
    """These chunks with their numbers; they may be read a few ahead."""
    plan, taken = torch.arange(len(images)).split(size), deque[int]()

    def rows() -> Iterator[Tensor]:
        for number in numbers:
            taken.append(number)
            yield plan[number]

    for batch in images.batches(rows()):
        yield taken.popleft(), batch

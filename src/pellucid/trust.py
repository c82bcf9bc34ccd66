"""Whose code may run: a file's own code, or what it names, runs only where somebody said so.

What a person types is their own word. What stands in a file is `Written`: it carries that file along, through
settings and merges, to the door where a name becomes code. `trusting` holds the words that were said, for a block.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, cast


class Written(str):
    """A text that stands in a file, which may be somebody else's."""

    file: Path

    @classmethod
    def by(cls, file: Path, text: str) -> "Written":
        """The text, and the file that it stands in."""
        found = cls(text)
        found.file = file
        return found


def written(value: Any, file: Path) -> Any:
    """The content of a file with every text in it marked as `Written`."""
    if isinstance(value, str):
        return Written.by(file, value)
    if isinstance(value, Mapping):
        return {name: written(entry, file) for name, entry in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, list):
        return [written(entry, file) for entry in cast("list[Any]", value)]
    return value


def origin(value: Any) -> Path | None:
    """The file that said this text, or the first text in these tables; none where a person said all of it."""
    if isinstance(value, Written):
        return value.file
    parts: Iterable[Any] = ()
    if isinstance(value, Mapping):
        parts = cast("Mapping[Any, Any]", value).values()
    elif isinstance(value, list | tuple):
        parts = cast("Sequence[Any]", value)
    return next((file for part in parts if (file := origin(part)) is not None), None)


_all: ContextVar[bool] = ContextVar("_all", default=False)
_words: ContextVar[frozenset[str]] = ContextVar("_words", default=frozenset())


@contextmanager
def trusting(words: Iterable[str | Path] | bool) -> Generator[None]:
    """While the block runs, trust the modules and program files that `words` name beside those trusted already.

    A package is trusted with all that lies in it. True trusts everything.
    """
    whole = _all.set(_all.get() or words is True)
    more = () if isinstance(words, bool) else (words,) if isinstance(words, str | Path) else words
    named = _words.set(_words.get() | frozenset(map(str, more)))
    try:
        yield
    finally:
        _words.reset(named)
        _all.reset(whole)


def trusts_module(name: str) -> bool:
    """Whether somebody said that a module, or a package that it lies in, may run."""
    return _all.get() or any(f"{name}.".startswith(f"{word}.") for word in _words.get())


def trusts_file(path: Path) -> bool:
    """Whether somebody said that the program in a file may run."""
    return _all.get() or any(Path(word).resolve() == path.resolve() for word in _words.get())

"""What the classes of a network are called: a text for each, with other names for the same class after commas.

`tabby, tabby cat, n02123045` is one class. It is shown as `tabby`, and found by each of the three.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, cast, final

from pellucid import limits
from pellucid.errors import ConfigError, DataError, count_of

_LONGEST = 1000  # letters of a text
_WORDNET = re.compile(r"n\d{8}")
_AS = 'write a name a line, or as JSON a list of names or {"0": "cat", "1": "dog"}'


def class_names(source: str) -> tuple[str, ...]:
    """The classes that `imagenet` stands for, or those that a file names.

    A file has a name on each line, or is JSON: a list, or a table from numbers to names. The order is that of the
    network's outputs. `imagenet` are the 1,000 classes of ILSVRC 2012, sorted by their number in WordNet.
    """
    if source == "imagenet":
        return _imagenet()
    path = Path(source).expanduser()
    with limits.reading(path):
        if not path.exists():
            raise DataError(f"there is no file '{source}' with names of classes; give one, or 'imagenet'")
        try:
            text = limits.read(path, most=limits.JSON).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise DataError(f"'{source}' is no text; {_AS}") from error
        names = _table(text, source) if path.suffix.lower() == ".json" else _lines(text)
    return checked_names(names, f"'{source}'")


def checked_names(names: Sequence[object], place: str) -> tuple[str, ...]:
    """Names that come from elsewhere, if there are as many as classes may be, and each is a line of text."""
    if not 2 <= len(names) <= limits.CLASSES:
        raise DataError(
            f"{place} names {count_of(len(names), 'class')}; there may be from 2 to {limits.CLASSES:,} of them"
        )
    for number, name in enumerate(names):
        if not isinstance(name, str) or not name.strip(" ,") or len(name) > _LONGEST or not name.isprintable():
            raise DataError(
                f"{place} has no name for the class {number}; give a line of {_LONGEST:,} letters at most, "
                "without signs that are not shown"
            )
    return tuple(cast("Sequence[str]", names))


def shown_names(classes: Sequence[str]) -> tuple[str, ...]:
    """What each class is called where it is shown: by its first name, with another or a number if several share that.

    >>> shown_names(("tabby, tabby cat", "crane, n02012849", "crane, n03126707", "odd", "odd"))
    ('tabby', 'crane (n02012849)', 'crane (n03126707)', 'odd (3)', 'odd (4)')
    """
    several = [_synonyms(text) for text in classes]
    known = Counter(name for names in several for name in dict.fromkeys(names))
    found: list[str] = []
    for number, names in enumerate(several):
        other = next((name for name in names[1:] if known[name] == 1), str(number))
        found.append(names[0] if known[names[0]] == 1 else f"{names[0]} ({other})")
    return tuple(found)


@final
@dataclass(frozen=True)
class ClassFinder:
    """Finds classes by any of their names, by what is shown of them, or by number.

    Exact names come first, then names that differ in case, `_` and `-` for spaces only, then numbers.
    """

    classes: tuple[str, ...]

    def places(self, word: str) -> tuple[int, ...]:
        """The numbers of all classes that a word may mean: none of what is no class, several of what is ambiguous."""
        for known, meant in ((self._shown, word), (self._exact, word), (self._loose, _loosely(word))):
            if found := known.get(meant):
                return tuple(found)
        # 007 may count from one as well as from zero
        number = int(word) if re.fullmatch(r"0|[1-9]\d{0,5}", word, re.ASCII) else len(self.classes)
        return (number,) if number < len(self.classes) else ()

    @cached_property
    def _shown(self) -> Mapping[str, list[int]]:
        return _inverse((name,) for name in shown_names(self.classes))

    @cached_property
    def _exact(self) -> Mapping[str, list[int]]:
        return _inverse((text, *_synonyms(text)) for text in self.classes)

    @cached_property
    def _loose(self) -> Mapping[str, list[int]]:
        return _inverse(map(_loosely, (text, *_synonyms(text))) for text in self.classes)


def check_count(classes: Sequence[str], outputs: int, network: str, place: str) -> None:
    """Refuse names of other classes than a network of so many outputs has."""
    if len(classes) != outputs:
        raise ConfigError(
            f"'{network}' tells {count_of(outputs, 'class')} apart and {place} names {len(classes):,}; "
            "give a name for each"
        )


def _synonyms(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()] or [text]


def _loosely(name: str) -> str:
    return " ".join(name.replace("_", " ").replace("-", " ").casefold().split())


def _inverse(names: Iterable[Iterable[str]]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, several in enumerate(names):
        for name in dict.fromkeys(several):
            found.setdefault(name, []).append(number)
    return found


@cache
def _imagenet() -> tuple[str, ...]:
    return tuple((Path(__file__).parent / "data" / "imagenet.txt").read_text("ascii").splitlines())


def _lines(text: str) -> list[str]:
    # other signs than these end lines for Python, which would let names slip by one
    return [_named(line.removesuffix("\r")) for line in text.rstrip().split("\n")] if text.strip() else []


def _table(text: str, source: str) -> list[object]:
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"'{source}' is no JSON; {_AS}") from error
    if isinstance(content, dict):
        table = cast("dict[str, Any]", content)
        if set(table) != set(map(str, range(len(table)))):
            raise DataError(f"'{source}' does not count its classes from 0 to {len(table) - 1}; {_AS}")
        content = [table[str(number)] for number in range(len(table))]
    if not isinstance(content, list):
        raise DataError(f"'{source}' is neither a list nor a table of names; {_AS}")
    return [_several(entry) for entry in cast("list[Any]", content)]


def _several(entry: object) -> object:
    """A name, or a list of names for one class, as `["n01440764", "tench"]`."""
    if isinstance(entry, list) and entry and all(isinstance(name, str) for name in cast("list[Any]", entry)):
        names = sorted(cast("list[str]", entry), key=lambda name: _WORDNET.fullmatch(name) is not None)
        return ", ".join(names)
    return _named(entry) if isinstance(entry, str) else entry


def _named(line: str) -> str:
    """A number in WordNet that stands first, as many lists have it, goes behind what people read."""
    first, _, rest = line.strip().partition(" ")
    return f"{rest.strip()}, {first}" if _WORDNET.fullmatch(first) and rest.strip() else line.strip()

"""Which class folders of many are read, as somebody wrote them down."""

from pathlib import Path

from pellucid import limits
from pellucid.errors import DataError, count_of

LISTS = {"imagenet100-joo2023": Path(__file__).with_name("imagenet100-joo2023.txt")}
"""Lists that come along, by name."""

_AS = "write the name of a class folder a line"


def read_folders(source: Path | str) -> tuple[str, ...]:
    """The class folders that a file names, one a line; empty lines and those that begin with # are passed over.

    `imagenet100-joo2023` are the 100 classes of ImageNet that Joo et al. (2023) train on. A string that is the name
    of a list means that list; write `./name` or give a `Path` for a file called so.
    """
    path = LISTS[source] if isinstance(source, str) and source in LISTS else Path(source).expanduser()
    with limits.reading(path):
        if not path.exists():
            raise DataError(f"there is no file '{path}'; {_AS}, or name a list that is there: {', '.join(LISTS)}")
        content = limits.read(path, most=limits.JSON)
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DataError(f"'{path}' is no text; {_AS}") from error
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        name = line.strip()
        if not name or name.startswith("#"):
            continue
        if name in found:
            raise DataError(
                f"'{path}' names the folder '{name}' in line {found[name]} and in line {number}; leave one"
            )
        found[name] = number
        if len(found) > limits.CLASSES:
            raise DataError(f"'{path}' names more than {count_of(limits.CLASSES, 'folder')}; there may be no more")
    if len(found) < 2:
        raise DataError(f"'{path}' names {count_of(len(found), 'folder')}; a classifier tells 2 or more apart")
    return tuple(found)

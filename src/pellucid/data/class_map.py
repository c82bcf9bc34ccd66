"""Which class of a network a folder of images stands for, as somebody wrote it down."""

import csv
from pathlib import Path

from pellucid import limits
from pellucid.errors import DataError, count_of

_AS = "write a line for each folder: folder,class"


def read_map(path: Path | str) -> dict[str, str]:
    """The class of each folder, from lines `folder,class`.

    A class is a name, a number in WordNet or the number of an output. The images of a folder with nothing after the
    comma are left out.
    """
    path = Path(path).expanduser()
    with limits.reading(path):
        if not path.exists():
            raise DataError(f"there is no file '{path}'; {_AS}")
        content = limits.read(path, most=limits.JSON)
    try:
        rows = list(csv.reader(content.decode("utf-8-sig").splitlines(), skipinitialspace=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"'{path}' is no text of lines with commas; {_AS}") from error
    found: dict[str, str] = {}
    for number, row in enumerate(rows, 1):
        if not row:
            continue
        # a class may have commas of its own
        folder, class_ = row[0].strip(), ", ".join(word.strip() for word in row[1:])
        if len(row) < 2 or not folder:
            raise DataError(f"line {number} of '{path}' has no folder and class; {_AS}")
        if found.setdefault(folder, class_) != class_:
            raise DataError(f"'{path}' says twice what the folder '{folder}' stands for; leave one line")
        if len(found) > limits.CLASSES:
            raise DataError(f"'{path}' names more than {count_of(limits.CLASSES, 'folder')}; there may be no more")
    return found

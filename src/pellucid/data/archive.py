"""The files in a folder or in a tar archive, read without unpacking anything to disk."""

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Any

from pellucid import limits
from pellucid.errors import DataError

_PACKED: tuple[tuple[bytes, Callable[[Any], Any]], ...] = (
    (b"\x1f\x8b", lambda file: gzip.GzipFile(fileobj=file)),
    (b"BZh", bz2.BZ2File),
    (b"\xfd7zXZ\0", lzma.LZMAFile),
)


def contents_of(path: Path, wanted: Callable[[str], bool], memory: int = limits.MEMORY) -> dict[str, bytes]:
    """The wanted files by the last part of their name: those in a folder, or anywhere in an archive."""
    if path.is_dir():
        return {file.name: limits.read(file, memory) for file in sorted(path.iterdir()) if wanted(file.name)}
    contents: dict[str, bytes] = {}
    try:
        # as a stream, whose every byte is counted, those of names and gaps too
        with limits.opened(path) as file:
            counted: Any = _Counted(file, path, memory)  # of a file, tarfile only reads
            for member in (archive := tarfile.open(fileobj=counted, mode="r|")):  # noqa: SIM115, nothing to close
                name = PurePosixPath(member.name).name
                whole = member.isreg() and not member.issparse()  # else it is far longer than what is there of it
                content = archive.extractfile(member) if whole and wanted(name) else None
                if content is not None:
                    contents[name] = content.read()
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error, ValueError) as error:
        raise DataError(f"'{path}' is cut short, or is no tar archive; fetch it again") from error
    return contents


class _Counted:
    """What a file unpacks to, as long as there is room for it."""

    def __init__(self, file: BufferedReader, path: Path, memory: int) -> None:
        start = file.read(8)
        file.seek(0)
        unpacked = next((opening for magic, opening in _PACKED if start.startswith(magic)), None)
        self._file = file if unpacked is None else unpacked(file)
        self._room, self._path, self._done = limits.room(file, memory), path, 0
        if unpacked is None:
            self._room = max(self._room, limits.size(file))  # skipped without being read into memory

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._done += len(content)
        if self._done > self._room:
            raise DataError(
                f"'{self._path}' unpacks to more than the {limits.shown(self._room)} that it may; "
                "unpack it yourself, and give the folder"
            )
        return content

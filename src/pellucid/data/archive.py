"""The files in a folder or in a tar archive, read without unpacking anything to disk."""

import lzma
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from pellucid.errors import DataError


def contents_of(path: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """The wanted files by the last part of their name: those in a folder, or anywhere in an archive."""
    if path.is_dir():
        return {
            file.name: file.read_bytes() for file in sorted(path.iterdir()) if file.is_file() and wanted(file.name)
        }
    contents: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                file = archive.extractfile(member) if member.isfile() and wanted(name) else None
                if file is not None:
                    contents[name] = file.read()
    except (tarfile.TarError, EOFError, OSError, lzma.LZMAError, zlib.error) as error:
        raise DataError(f"'{path}' is cut short, or is no tar archive; fetch it again") from error
    return contents

"""Fetching published files: whole, verified, and resumed where a connection broke."""

import gzip
import hashlib
import urllib.request
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, cast, final
from urllib.error import HTTPError

from pellucid import files
from pellucid.errors import DataError, DownloadError
from pellucid.ledger import checksums

Report = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is (0 where nobody knows)."""

_CHUNK = 1 << 18


def silent(name: str, done: int, total: int, /) -> None:
    """A report that nobody reads."""


@final
@dataclass(frozen=True)
class Remote:
    """A published file, and a digest of what it must hold: `md5:...` or `sha256:...`.

    With `unpacked` the digest is of the content under gzip, which mirrors may compress in their own way.
    """

    url: str
    digest: str
    unpacked: bool = False

    @property
    def name(self) -> str:
        """What the file is called."""
        return self.url.rpartition("/")[2]


def require(
    remotes: Sequence[Remote], folder: Path, *, download: bool, report: Report = silent, timeout: float = 30.0
) -> None:
    """Make sure that `folder` holds the files, fetching those that are not there if `download` allows it."""
    missing = [remote for remote in remotes if not (folder / remote.name).exists()]
    if missing and not download:
        names = ", ".join(remote.name for remote in missing)
        them = "it" if len(missing) == 1 else "them"
        origin = missing[0].url.rpartition("/")[0]
        raise DataError(
            f"'{folder}' lacks {names}; fetch with download=True (--download), or put {them} there from {origin}/"
        )
    for remote in missing:
        fetch(remote, folder, report=report, timeout=timeout)


def fetch(remote: Remote, folder: Path, *, report: Report = silent, timeout: float = 30.0) -> Path:
    """Download a file into `folder`, going on from where an earlier attempt stopped."""
    path = folder / remote.name
    part = folder / f"{remote.name}.part"
    files.inner_folder(folder)
    with files.growing(part) as file:
        if path.exists() and not file.size:  # another process has fetched it while this one waited
            files.remove(part)
            return path
        _fetch(remote, path, part, file, report, timeout)
    return path


def whole(path: Path) -> Path:
    """A file, unless it was fetched and is no longer what came."""
    if checksums.noted(path):
        checksums.check(path, "remove it, and fetch it again with download=True (--download)")
    return path


def _fetch(remote: Remote, path: Path, part: Path, file: files.Growing, report: Report, timeout: float) -> None:
    folder = path.parent
    try:
        expected = _receive(remote, part, file, report, timeout)
    except HTTPError as error:
        error.close()
        raise DownloadError(
            f"{remote.url} answers {error.code} {error.reason}; {_by_hand(remote, folder)}"
        ) from error
    except (OSError, HTTPException) as error:
        raise DownloadError(f"{remote.url} cannot be fetched ({error}); {_by_hand(remote, folder)}") from error
    if file.size < expected:
        raise DownloadError(
            f"{remote.url} broke off after {file.size} of {expected} bytes; try again to go on from there"
        )
    if not _holds(part, remote):
        files.remove(part)
        raise DownloadError(f"{remote.url} does not have the digest {remote.digest}; {_by_hand(remote, folder)}")
    file.sync()
    checksums.note(path, files.checksum(part))
    files.rename(part, path)


def _by_hand(remote: Remote, folder: Path) -> str:
    return f"try again, or put {remote.name} into '{folder}' yourself"


def _receive(remote: Remote, part: Path, file: files.Growing, report: Report, timeout: float) -> int:
    """Add to `part` what the server sends, and say how long it should be in the end."""
    present = file.size
    try:
        response = _ask(remote.url, present, timeout)
    except HTTPError as error:
        if error.code != 416:
            raise
        error.close()  # nothing lies beyond what is here, so it is whole or it is something else
        if _holds(part, remote):
            return present
        present = 0
        response = _ask(remote.url, present, timeout)
    with response:
        resumed = response.headers.get("Content-Range", "").startswith(f"bytes {present}-")
        done = present if response.status == 206 and resumed else 0
        total = done + int(response.headers.get("Content-Length", 0))
        file.cut(done)
        while chunk := response.read(_CHUNK):
            file.write(chunk)
            done += len(chunk)
            report(remote.name, done, total)
    return total


def _ask(url: str, start: int, timeout: float) -> HTTPResponse:
    headers = {"User-Agent": "pellucid"} | ({"Range": f"bytes={start}-"} if start else {})
    request = urllib.request.Request(url, headers=headers)
    return cast(HTTPResponse, urllib.request.urlopen(request, timeout=timeout))


def _holds(path: Path, remote: Remote) -> bool:
    algorithm, _, wanted = remote.digest.partition(":")
    try:
        with gzip.open(path) if remote.unpacked else path.open("rb") as file:
            return hashlib.file_digest(cast(Any, file), algorithm).hexdigest() == wanted
    except (EOFError, OSError, zlib.error):
        return False

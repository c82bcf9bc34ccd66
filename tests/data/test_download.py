import gzip
import hashlib
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pellucid.data.download import Remote, fetch, require
from pellucid.errors import DataError, DownloadError

if TYPE_CHECKING:
    from .conftest import Shelf

Raises = Callable[[type[Exception], str], AbstractContextManager[Any]]

CONTENT = bytes(range(256)) * 3000


@pytest.fixture
def remote(shelf: "Shelf") -> Remote:
    shelf.files["numbers.bin"] = CONTENT
    return Remote(f"{shelf.url}/numbers.bin", f"md5:{hashlib.md5(CONTENT).hexdigest()}")


def test_a_file_arrives_whole(remote: Remote, tmp_path: Path):
    heard: list[tuple[str, int, int]] = []
    path = fetch(
        remote, tmp_path / "new" / "folder", report=lambda name, done, total: heard.append((name, done, total))
    )
    assert path == tmp_path / "new" / "folder" / "numbers.bin"
    assert path.read_bytes() == CONTENT
    assert {item.name for item in path.parent.iterdir()} == {"numbers.bin", "checksums.txt"}
    assert heard[-1] == ("numbers.bin", len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in heard] == sorted(done for _, done, _ in heard)


@pytest.mark.parametrize("ranges", [True, False], ids=["ranges", "no ranges"])
def test_a_cut_connection_is_resumed(remote: Remote, shelf: "Shelf", tmp_path: Path, raises: Raises, ranges: bool):
    shelf.ranges, shelf.cut = ranges, 300_000
    with raises(DownloadError, f"{remote.url} broke off after 300000 of 768000 bytes; try again to go on from there"):
        fetch(remote, tmp_path)
    assert not (tmp_path / "numbers.bin").exists()
    shelf.cut = None
    heard: list[int] = []
    assert fetch(remote, tmp_path, report=lambda _, done, __: heard.append(done)).read_bytes() == CONTENT
    assert shelf.asked == [("numbers.bin", None), ("numbers.bin", "bytes=300000-")]
    assert (heard[0] > 300_000) == ranges


def test_a_whole_part_needs_only_its_name(remote: Remote, tmp_path: Path):
    (tmp_path / "numbers.bin.part").write_bytes(CONTENT)
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_part_of_something_longer_is_thrown_away(remote: Remote, tmp_path: Path):
    (tmp_path / "numbers.bin.part").write_bytes(CONTENT + b"more")
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_part_of_something_else_is_not_kept(remote: Remote, tmp_path: Path, raises: Raises):
    (tmp_path / "numbers.bin.part").write_bytes(b"else")
    with raises(
        DownloadError,
        f"{remote.url} does not have the digest {remote.digest}; "
        f"try again, or put numbers.bin into '{tmp_path}' yourself",
    ):
        fetch(remote, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert fetch(remote, tmp_path).read_bytes() == CONTENT


def test_a_missing_file(shelf: "Shelf", tmp_path: Path, raises: Raises):
    remote = Remote(f"{shelf.url}/nothing.gz", "md5:0")
    with raises(
        DownloadError,
        f"{remote.url} answers 404 Not Found; try again, or put nothing.gz into '{tmp_path}' yourself",
    ):
        fetch(remote, tmp_path)


def test_nobody_answers(tmp_path: Path):
    with pytest.raises(
        DownloadError,
        match=rf"^http://127.0.0.1:9/x.gz cannot be fetched \(.*refused.*\); "
        rf"try again, or put x.gz into '{re.escape(str(tmp_path))}' yourself$",
    ):
        fetch(Remote("http://127.0.0.1:9/x.gz", "md5:0"), tmp_path, timeout=2.0)


@pytest.mark.parametrize("level", [1, 9])
def test_mirrors_may_compress_as_they_like(shelf: "Shelf", tmp_path: Path, level: int):
    shelf.files["numbers.gz"] = gzip.compress(CONTENT, level)
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    fetch(Remote(f"{shelf.url}/numbers.gz", digest, unpacked=True), tmp_path)
    assert gzip.decompress((tmp_path / "numbers.gz").read_bytes()) == CONTENT


def test_what_cannot_be_unpacked_has_another_digest(shelf: "Shelf", tmp_path: Path):
    shelf.files["numbers.gz"] = gzip.compress(CONTENT)[:-9]
    with pytest.raises(DownloadError, match="does not have the digest"):
        fetch(Remote(f"{shelf.url}/numbers.gz", "sha256:0", unpacked=True), tmp_path)


def test_only_what_is_missing_is_fetched(remote: Remote, shelf: "Shelf", tmp_path: Path):
    require([remote], tmp_path, download=True)
    require([remote], tmp_path, download=True)
    require([remote], tmp_path, download=False)
    assert len(shelf.asked) == 1


def test_nothing_is_fetched_without_leave(remote: Remote, shelf: "Shelf", tmp_path: Path, raises: Raises):
    with raises(
        DataError,
        f"'{tmp_path}' lacks numbers.bin; fetch with download=True (--download), or put it there from {shelf.url}/",
    ):
        require([remote], tmp_path, download=False)
    assert shelf.asked == []

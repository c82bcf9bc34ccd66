"""A folder that somebody else packed leads nowhere: nothing that a link in it points to is ever changed."""

import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from command import call
from pellucid.data.download import Remote, fetch
from pellucid.errors import PellucidError
from works import QUICK, SLOW, Stop, Watch


def explained(out: Path, watch: Watch) -> Any:
    watch()
    call("explain", "mlp", "--data", "digits", "--n", "1", "--explainer", "gradient", "--out", str(out / "named"))


LONG = [explained, *QUICK[1:], *SLOW]
WORKS = [QUICK[0], *(pytest.param(work, marks=pytest.mark.slow) for work in LONG)]


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def stopped(work: Callable[[Path, Watch], Any], out: Path, steps: int) -> None:
    seen = [0]

    def watch(*_: object) -> None:
        seen[0] += 1
        if seen[0] == steps:
            raise Stop

    with pytest.raises(Stop):
        work(out, watch)


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_a_link_in_the_place_of_anything_that_is_written_is_not_followed(
    tmp_path: Path, work: Callable[[Path, Watch], Any]
) -> None:
    """The names are those that the work itself has written, halfway and in the end."""
    warnings.simplefilter("ignore")
    trees = [tmp_path / "half", tmp_path / "whole"]
    if work is not explained:
        stopped(work, trees[0], 2)
    work(trees[1], lambda *_: None)
    names = {path.relative_to(tree): path for tree in trees for path in tree.rglob("*")}
    assert len(names) > 2
    for number, (name, path) in enumerate(sorted(names.items())):
        if name == Path("named") or name == Path("audit"):
            continue  # by somebody who may have meant a link
        for state in ("fresh", "whole", "dangling"):
            out, target = tmp_path / f"{number}-{state}", tmp_path / f"{number}-{state}-target"
            if state == "whole":
                shutil.copytree(trees[1], out)
            link = out / name
            link.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.rmtree(link, ignore_errors=True)
            else:
                link.unlink(missing_ok=True)
            inner = target if path.is_dir() else target / "mine"
            if state != "dangling":
                shutil.copytree(path, target) if path.is_dir() else target.mkdir()
                if not path.is_dir():
                    inner.write_bytes(path.read_bytes()[:-1] + b"mine")
            link.symlink_to(inner, target_is_directory=path.is_dir())
            before = content(target)
            try:
                work(out, lambda *_: None)
            except PellucidError as error:
                assert "\n" not in str(error)
            assert content(target) == before, (name, state)
            assert target.exists() == (state != "dangling"), (name, state)


def test_a_link_in_the_place_of_a_download_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.gz.part").symlink_to(tmp_path / "mine")
    with pytest.raises(PellucidError, match=r"a\.gz\.part.*symbolic link"):
        fetch(Remote("http://127.0.0.1:9/a.gz", "md5:0"), tmp_path / "data")
    assert (tmp_path / "mine").read_text() == "mine"
    (tmp_path / "link").symlink_to(tmp_path / "data")
    with pytest.raises(PellucidError, match=r"link.*symbolic link"):
        fetch(Remote("http://127.0.0.1:9/a.gz", "md5:0"), tmp_path / "link")

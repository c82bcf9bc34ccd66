"""Which formats are decoded, whatever a file's name says: some start other programs."""

import os
from pathlib import Path

import pytest
from PIL import EpsImagePlugin, Image

from pellucid.data import Decoding, load, pictures
from pellucid.errors import DataError

POSTSCRIPT = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 8 6
%%EndComments
%%EndProlog
%%Page: 1 1
showpage
%%EOF
"""


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ghostscript that leaves a trace."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "gs").write_text(f"#!/bin/sh\necho ran >> {tmp_path / 'ran'}\necho 10.0\n")
    (folder / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    return tmp_path / "ran"


def test_a_picture_starts_no_program(program: Path, tmp_path: Path) -> None:
    file = tmp_path / "images" / "cat" / "0.png"
    file.parent.mkdir(parents=True)
    file.write_bytes(POSTSCRIPT)
    with pytest.raises(DataError, match="it is no image or is cut short"):
        pictures([file], (3, 6, 8))
    with pytest.raises(DataError):
        load(tmp_path / "images", decoding=Decoding(workers=0))
    assert not program.exists()
    # that is no idle fear
    with Image.open(file) as image, pytest.raises(OSError):
        image.load()
    assert program.exists()

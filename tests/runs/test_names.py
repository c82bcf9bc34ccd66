"""Classes, pictures and folders of any name, through the real command line: what comes out is text."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy
import pytest
from PIL import Image

HOSTILE = "\x1b]0;pwned\x07\x1b[2J<script>"
CLASSES = (os.fsencode(HOSTILE), "=[red]a[link=x]\u202e\x9b\u2028z".encode(), b"\xff\xfe\ncat\r")
HARM = re.compile(
    rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xed[\xa0-\xbf]"
)
LOCALES = {
    "utf-8": {"LC_ALL": "C.UTF-8"},
    "ascii": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    numbers = numpy.random.default_rng(0)
    for name in CLASSES:
        folder = Path(os.fsdecode(b"images/" + name))
        folder.mkdir(parents=True)
        for number in range(16):
            pixels = numbers.integers(0, 256, (8, 8, 3), dtype=numpy.uint8)
            Image.fromarray(pixels).save(folder / f"\x1b[31m{number}.png")


def shell(locale: str, *arguments: str, code: int = 0) -> bytes:
    """What a command writes to both streams, which must be text."""
    line = [sys.executable, "-m", "pellucid", *arguments]
    found = subprocess.run(line, capture_output=True, check=False, timeout=300, env=os.environ | LOCALES[locale])
    said = found.stdout + found.stderr
    assert found.returncode == code, said.decode(errors="replace")
    assert b"Traceback" not in said and not HARM.search(said), said
    if locale == "ascii":
        said.decode("ascii")
    return said


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_names_of_any_signs_are_text_in_all_that_is_written(locale: str) -> None:
    short = ["--model", "mlp", "--set", "recipe.epochs=1", "--set", "data.workers=0", "--device", "cpu"]
    shell(locale, "train", "standard", "--data", "images", *short, "--out", f"{HOSTILE} runs")
    (run,) = map(str, Path(f"{HOSTILE} runs").iterdir())
    assert b"<script>" in shell(locale, "explain", run, "--explainer", "gradient", "--of", "all", "--n", "2")
    shell(locale, "measure", run, "--n", "3", "--attack", "pgd", "--eps", "0.1")
    shell(locale, "judge", run, "--n", "3", "--metric", "sparsity", "--explainer", "gradient")
    shell(locale, "normlime", run, "--n", "9", "--masks", "80")
    shell(locale, "neurons", run, "--n", "9")
    shell(locale, "references", run, "--explainer", "gradient")
    shell(locale, "show", run)
    shell(locale, "list", "runs", "--out", f"{HOSTILE} runs")
    shell(locale, "audit", run, "--n", "6", "--profile", "quick", "--explainer", "gradient", "--device", "cpu")
    shell(locale, "report", "audit")
    written = [path for path in Path().rglob("*") if path.suffix in (".html", ".md", ".csv", ".json", ".toml")]
    assert len(written) > 10
    for path in written:
        content = path.read_bytes()
        assert not HARM.search(content), path
        if path.suffix == ".csv":
            assert not re.search(rb"(^|,)\"?=", content, re.MULTILINE), path
    page = Path("audit/report.html").read_text()
    assert "<script>" in page and page.count("<script>") == 1 and "&lt;script&gt;" in page


@pytest.mark.slow
def test_errors_about_any_name_are_one_line() -> None:
    name = os.fsdecode(b"\x1b[2J\xff\nimages")
    Path(name).mkdir()
    images = Path("images").rename(f"{name}/images")
    for arguments in (
        ("measure", f"{name}/net.pt", "--data", "digits"),
        ("measure", "mlp", "--data", name),
        ("show", name),
        ("train", f"{name}.toml"),
        ("report", name),
        ("measure", "mlp", "--data", "digits", "--attack", name),
        ("train", "standard", "--data", str(images), "--model", "mlp", "--set", "recipe.epochs=1"),
    ):
        said = shell("utf-8", *arguments, code=1)
        assert said.strip().rpartition(b"\n")[2].startswith(b"error: "), said
    assert b"rename that file or folder" in said

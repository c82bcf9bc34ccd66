"""Sections of the page: they import no torch, and a part of another package has one like ours."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest

from pellucid import audits, registry, reports
from pellucid.audits import PARTS, AuditFolder, Figure, Finding, Outcome
from pellucid.audits.section import Plain, section_of, template_of
from pellucid.errors import ConfigError
from pellucid.metrics import Estimate

SECTIONS = sorted(Path(audits.__file__).parent.glob("*/section.py"))
FILES = {
    "__init__.py": "",
    "details.py": """
from dataclasses import dataclass

@dataclass(frozen=True)
class Details:
    phase: str
    nights: tuple[int, ...] = ()
""",
    "part.py": """
from dataclasses import dataclass
from pellucid.audits import Finding, Part
from pellucid.evaluate.explanations import Passes

@dataclass(frozen=True)
class Moonlight(Part):
    '''How a network does at night.'''

    def passes(self, subject):
        return Passes()

    def carry_out(self, task):
        return Finding()
""",
    "section.py": """
from pellucid.audits import Headline, Section
from moon.details import Details

class Night(Section[Details]):
    details = Details
    answers = ("moonlight",)

    def shown(self, found, album):
        return [(network, details) for network, details in found.details]

    def headlines(self, finding):
        yield Headline("moonlight", f"sees in {finding.details.phase} moonlight", finding.figures[0])
""",
    "section.html.j2": """
{% for network, details in section.shown %}<p class="moon">{{ m.name(network.name) }}: {{ details.phase }},
{{ details.nights | join(" and ") }}</p>{% endfor %}
""",
}

Write = Callable[[str, str], None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A package `moon` with a part that is installed, and a way to write its files otherwise."""
    package = tmp_path / "installed" / "moon"
    package.mkdir(parents=True)
    for name, text in FILES.items():
        (package / name).write_text(text)
    monkeypatch.syspath_prepend(package.parent)
    for name in ("moon", *(f"moon.{file.partition('.')[0]}" for file in FILES)):
        monkeypatch.delitem(sys.modules, name, raising=False)
    point = EntryPoint(name="moonlight", value="moon.part:Moonlight", group="pellucid.parts")

    def plugins(group: str, name: str | None = None) -> EntryPoints:
        return EntryPoints([point] if group == "pellucid.parts" and name in (None, "moonlight") else [])

    monkeypatch.setattr(registry, "entry_points", plugins)
    return lambda name, text: write_over(package / name, text)


def write_over(path: Path, text: str) -> None:
    path.write_text(text)


def audited(path: Path, details: object) -> AuditFolder:
    folder = AuditFolder(path / "audit")
    parts = {"night": {"kind": "moonlight"}, "decisions": {"kind": "decided"}}
    folder.begin({"models": [{"name": "owl"}], "data": {}, "parts": parts, "seed": 0})
    glow = Figure("glow", ("moon",), Estimate(3.25, 3.0, 3.5, 20))
    folder.keep(0, "night", Outcome(Finding((glow,), details=details), "", 1.0))
    return folder


def test_no_section_imports_torch() -> None:
    names = [f"pellucid.audits.{path.parent.name}.section" for path in SECTIONS]
    assert len(names) == 9
    code = f"import sys, {', '.join(names)}; print([name for name in sys.modules if name.startswith('torch')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("kind", list(PARTS))
def test_a_part_has_the_section_beside_it(kind: str) -> None:
    section = section_of(PARTS[kind])
    home = Path(sys.modules[PARTS[kind].__module__].__file__ or "").parent
    assert isinstance(section, Plain) == (not (home / "section.py").exists())
    assert isinstance(section, Plain) or template_of(section).parent == home


def test_a_part_of_another_package_has_its_section_on_the_page(write: Write, tmp_path: Path) -> None:
    details = {"phase": "waxing <b>", "nights": (3, 4)}
    page = reports.page(audited(tmp_path, details))
    assert '<p class="moon"><bdi>owl</bdi>: waxing &lt;b&gt;,\n3 and 4</p>' in page
    assert "Sees in waxing &lt;b&gt; moonlight; accuracy, robustness" in page
    assert page.count("glow, moon") == 2, "at the top and in the table"


def test_its_details_are_checked_when_they_are_read(write: Write, tmp_path: Path) -> None:
    folder = audited(tmp_path, {"phase": "full", "nights": ("monday",)})
    (line,) = folder.damaged()
    assert "night.json" in line and 'details.nights[0] is "monday", not a whole number' in line


def test_a_section_may_be_named_by_its_place(write: Write, tmp_path: Path) -> None:
    write("section.py", "")
    write("dusk.py", FILES["section.py"].replace("class Night", "class Dusk"))
    write("part.py", FILES["part.py"].replace("night.'''", "night.'''\n\n    section = 'moon.dusk:Dusk'"))
    assert "waxing" in reports.page(audited(tmp_path, {"phase": "waxing"}))


def test_without_a_section_the_page_has_a_table_of_figures(write: Write, tmp_path: Path) -> None:
    (tmp_path / "installed" / "moon" / "section.py").unlink()
    folder = audited(tmp_path, {"phase": "waxing"})
    outcome = folder.outcome(0, "night")
    assert outcome and outcome.finding and outcome.finding.details == {"phase": "waxing"}
    page = reports.page(folder)
    assert "glow, moon" in page and "waxing" not in page


def test_two_sections_in_one_file_have_to_be_named(write: Write, tmp_path: Path) -> None:
    write("section.py", FILES["section.py"] + "\n\nclass Day(Section[Details]):\n    pass\n")
    with pytest.raises(ConfigError, match=r"^moon\.section has 2 sections; a part names its own as `section = "):
        reports.page(audited(tmp_path, {"phase": "waxing"}))

"""What the documents say is run, looked up or compared with the code.

Blocks run top to bottom, a file at a time, in an empty folder that Python imports from: `python` is executed, in
`console` each `$ pellucid ...` is called, and a block with a title is written to a file of that name. A
pyproject.toml is installed as far as its entry points go. After `<!-- fails -->` a command must fail with the error
that is shown. The folder has one thing in it: `images`, pictures in three classes. For documents that speak of
`runs/mine` there are a network that reads digits, under that name, and `photo.png`.
"""

import dataclasses
import doctest
import importlib
import itertools
import json
import pkgutil
import re
import shlex
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click import Command
from click.testing import CliRunner
from PIL import Image

import pellucid
from pellucid import cli
from pellucid.attacks import ATTACKS, GOALS
from pellucid.cli import listing
from pellucid.errors import PellucidError
from pellucid.evaluate import CHECKS
from pellucid.evaluate.explanations import METRICS, LabelRandomization
from pellucid.explainers import EXPLAINERS
from pellucid.models import MODELS
from pellucid.objectives import TERMS, WEIGHTS
from pellucid.registry import Registry
from pellucid.runs import DataSpec, ModelSpec, Spec
from pellucid.train import OPTIMIZERS, RECIPES, SCHEDULES, Recipe

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^(?P<fails><!-- fails -->\n+)?"
    r"^(?P<indent> *)```(?P<kind>\w+)(?: title=\"(?P<title>[^\"]+)\")?[^\n]*\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder to work in, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for shade, name in enumerate(("blue", "green", "red")):
        (tmp_path / "images" / name).mkdir(parents=True)
        for number in range(6):
            picture = Image.new("RGB", (24, 20), (40 * number, 80 * shade, 120))
            picture.save(tmp_path / "images" / name / f"{number}.png")
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture(scope="session")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that documents call `runs/mine`."""
    out = tmp_path_factory.mktemp("mine")
    _command(f"train standard --model lenet --device cpu --set recipe.epochs=1 --out {out} --json", None)
    (folder,) = out.iterdir()
    return folder


# documents whose blocks train or audit for more than three seconds
LONG = {
    *("docs/audit-tutorial.md", "docs/how-to/references.md", "docs/how-to/read-your-report.md"),
    "docs/imagenet-tutorial.md",
    *("docs/methods/interpretation-regularization.md", "docs/methods/adversarial-explanations.md"),
}


def _marked(document: Path):
    name = str(document.relative_to(ROOT))
    return pytest.param(document, id=name, marks=pytest.mark.slow if name in LONG else ())


# the examples of pages are small
@pytest.mark.filterwarnings("ignore:the term [a-z-]* added")
@pytest.mark.parametrize("document", [_marked(document) for document in DOCUMENTS])
def test_blocks_run(document: Path, mine: Path) -> None:
    text = document.read_text()
    if "efficientnet_lite_pytorch" in text:
        pytest.importorskip("efficientnet_lite_pytorch", reason="its network comes in a package")
    if "runs/mine" in text:
        shutil.copytree(mine, "runs/mine")
        Image.radial_gradient("L").save("photo.png")
    # dataclasses and registries look their module up by its name
    module = ModuleType(f"document_{document.stem.replace('-', '_')}")
    module.__file__ = str(Path.cwd() / "document")
    sys.modules[module.__name__] = module
    for block in BLOCK.finditer(text):
        kind, title, body = block["kind"], block["title"], _dedented(block["body"], block["indent"])
        if title:
            Path(title).parent.mkdir(parents=True, exist_ok=True)
            Path(title).write_text(body)
            if title == "pyproject.toml":
                _install(body)
        elif kind == "python":
            lines_before = text[: block.start("body")].count("\n")
            exec(compile("\n" * lines_before + body, str(document), "exec"), vars(module))
        elif kind == "console":
            for command in re.findall(r"^\$ pellucid (.*)$", body.replace("\\\n", ""), re.MULTILINE):
                _command(command, re.findall("^error: (.*)$", body, re.MULTILINE) if block["fails"] else None)


def _dedented(body: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in body.splitlines(keepends=True))


def _install(pyproject: str) -> None:
    project = tomllib.loads(pyproject)["project"]
    folder = Path(f"{project['name'].replace('-', '_')}-{project['version']}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n")
    lines: list[str] = []
    for group, points in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    importlib.invalidate_caches()


def _command(command: str, expected: list[str] | None) -> None:
    result = CliRunner().invoke(cli.cli, shlex.split(command, comments=True), env={"COLUMNS": "100"})
    if expected is None:
        assert result.exit_code == 0, f"{command}: {result.exception!r} {result.output}"
    else:
        assert isinstance(result.exception, PellucidError), f"{command}: {result.output}"
        assert [str(result.exception)] == expected


def test_docstrings_run() -> None:
    for found in pkgutil.walk_packages(pellucid.__path__, "pellucid."):
        failures, _ = doctest.testmod(importlib.import_module(found.name))
        assert failures == 0, found.name


@pytest.mark.parametrize(
    "name", ["compare_recipes", "train_with_your_own_term", "your_own_network", "audit_your_network"]
)
def test_examples_run(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "examples")
    arguments = ["--smoke", "--out", "."] if name == "compare_recipes" else ["--smoke"]
    importlib.import_module(name).main(arguments)
    assert "test accuracy" in capsys.readouterr().out
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) < 80


def test_lengths() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) < 200
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 60
    assert (ROOT / "docs/pictures/demo.svg").stat().st_size < 100_000
    for picture in ("report.png", "imagenet-maps.jpg", "imagenet-report.jpg"):
        assert (ROOT / "docs/pictures" / picture).stat().st_size < 250_000
    assert len((ROOT / "examples/demo.py").read_text().splitlines()) < 80


def test_what_contributing_names_is_there_and_knows_the_example() -> None:
    kinds: list[str] = []
    for line in (ROOT / "CONTRIBUTING.md").read_text().splitlines():
        kind, name, *columns = [*map(str.strip, line.strip("|").split("|")), ""][:5]
        if not (line.startswith("|") and name.startswith("`")):
            continue
        name = name.strip("`")
        kinds.append(re.sub(r"\[(.*)\]\((.*)\)", r"\1", kind))
        for link in re.findall(r"\]\((.*)\)", kind):
            assert (ROOT / link).exists(), link
        words = "|".join(re.escape(word) for word in (name, name.replace("-", "_"), name.replace("-", "")))
        for place, files in zip(("src/pellucid", "tests", "docs"), columns, strict=True):
            for file in re.findall("`(.*?)`", files):
                path = ROOT / place / file.replace("NAME", name.replace("-", "_" if place != "docs" else "-"))
                assert path.is_file(), f"{kind}: {file}"
                named = "NAME" in file or re.search(words, path.read_text(), re.IGNORECASE)
                assert named, f"{file} knows no {name}"
    assert len(kinds) == len(set(kinds)) >= 15


def test_what_the_page_of_the_house_names_is_there() -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    files = {name for name in re.findall(r"`([\w/.]+\.(?:pyi?|md))`", text) if "/" in name}
    assert len(files) > 20
    places = [ROOT / "src/pellucid", ROOT, ROOT / "docs"]
    assert not [name for name in sorted(files) if not any((place / name).exists() for place in places)]
    floors = re.findall(r"^\| (`.*?) \|", text, re.MULTILINE)
    named = [name for floor in floors for name in re.findall(r"`(\w+)`", floor)]
    assert not [name for name in named if not any((places[0] / f"{name}{end}").exists() for end in ("", ".py"))]


def test_one_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    newest = re.search(r"^## \[(\d\S*)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert newest and cited
    assert project == newest[1] == cited[1]


def test_one_sentence_says_what_it_is() -> None:
    what = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["description"]
    assert what == "Train, attack, audit and explain image classifiers, with figures that can be defended"
    assert cli.cli.help == f"{what}."
    assert (pellucid.__doc__ or "").startswith(f"{what}.")
    for path, before in (
        ("README.md", ""),
        ("docs/index.md", ""),
        ("CITATION.cff", "abstract: "),
        ("mkdocs.yml", ""),
    ):
        said = " ".join((ROOT / path).read_text().split())
        assert f"{before}{what}" in said, path
        assert not re.search(r"and proves? it\b|explanations can be trusted", said), path


def test_names_exist() -> None:
    groups = {f"pellucid.{_registry(place).kind}s" for place in listing.REGISTRIES.values()}
    for document in DOCUMENTS:
        for name in re.findall(r"(?<![\w/.-])pellucid(?:\.[A-Za-z_]\w*)+", document.read_text()):
            assert name in groups or _resolves(name), f"{document.relative_to(ROOT)} says {name}"
        for names in re.findall(r"^from pellucid import (?:\()?([\w, ]+)", document.read_text(), re.MULTILINE):
            for name in names.split(","):
                assert _resolves(f"pellucid.{name.strip()}"), f"{document.relative_to(ROOT)} imports {name}"


def _resolves(name: str) -> bool:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


def _registry(place: str) -> Registry[Any]:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (ROOT / "README.md").read_text()):
        assert (ROOT / target).exists(), target


def test_every_setting_is_listed_with_its_default() -> None:
    page = (ROOT / "docs/reference/settings.md").read_text()
    spec = {field: field.default for field in dataclasses.fields(Spec) if field.name in ("seed", "precision")}
    rows = [(field.name, default) for field, default in spec.items()]
    for prefix, owner in (("data.", DataSpec), ("model.", ModelSpec), ("recipe.", Recipe)):
        rows += [(f"{prefix}{name}", default) for name, default in _defaults(owner)]
    for kinds in (OPTIMIZERS, SCHEDULES, TERMS, WEIGHTS):
        rows += itertools.chain.from_iterable(_defaults(kind) for kind in kinds.values())
        for name in kinds:
            assert f'kind = "{name}"' in page or f"[objective.{name}]" in page, name
    for name, default in rows:
        shown = "" if default is dataclasses.MISSING else f" `{_as_toml(default)}` "
        assert f"| `{name}` |{shown}" in page, f"{name} {shown}"


def _defaults(owner: type) -> list[tuple[str, Any]]:
    return [
        (field.name, dataclasses.MISSING if field.default_factory is not dataclasses.MISSING else field.default)
        for field in dataclasses.fields(owner)
        if field.init
    ]


def _as_toml(value: Any) -> str:
    return json.dumps(list(value) if isinstance(value, tuple) else value)


def test_every_option_of_the_command_line_is_listed() -> None:
    page = (ROOT / "docs/reference/command-line.md").read_text()
    shared = page.partition("\n## What is asked\n")[2].partition("\n## ")[0]
    for name, command in cli.cli.commands.items():
        section = page.partition(f"\n## pellucid {name}\n")[2].partition("\n## ")[0]
        for parameter in command.params:
            for option in parameter.opts if parameter.param_type_name == "option" else ():
                assert f"`{option}" in section or (asks(command) and f"`{option}" in shared), f"{name} {option}"


def asks(command: Command) -> bool:
    """Whether a command takes a network and images, by the options that all such take."""
    return {"options", "device"} <= {parameter.name for parameter in command.params}


def test_every_recipe_has_its_page() -> None:
    overview = (ROOT / "docs/recipes.md").read_text()
    for name in RECIPES:
        link = re.search(rf"^\| \[`{name}`\]\((methods/[\w-]+\.md)\) \|", overview, re.MULTILINE)
        assert link, name
        headings = re.findall("^## (.*)$", (ROOT / "docs" / link[1]).read_text(), re.MULTILINE)
        wanted = ["Formula", "Cost", "Fidelity", "Use", "Reference"]
        assert [heading for heading in headings if heading in wanted] == wanted, name


def test_every_network_is_listed() -> None:
    page = (ROOT / "docs/how-to/network.md").read_text()
    for name in MODELS:
        assert f"| `{name}` |" in page, name


def test_every_attack_and_goal_is_listed() -> None:
    page = (ROOT / "docs/attacks.md").read_text()
    for name in [*ATTACKS, *GOALS]:
        composed = name in ("repeat", "worst-of", "ladder")
        assert (f"`{ATTACKS[name].__name__}(" if composed else f"`{name}`") in page, name


def test_every_check_has_its_section() -> None:
    page = (ROOT / "docs/how-to/believe-your-robustness-number.md").read_text()
    for name in CHECKS:
        assert f"`{name}`" in page or f"## {name}" in page, name


def test_every_explainer_has_its_page_and_its_row() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    choosing = (ROOT / "docs/choosing-an-explanation.md").read_text()
    wanted = ["Formula", "What it assumes", "Cost", "Use", "Reference"]
    for name in EXPLAINERS:
        page = (ROOT / f"docs/explainers/{name}.md").read_text()
        assert page.startswith(f"# {name}\n\n![maps of digits](../pictures/{name}.png)\n"), name
        headings = re.findall("^## (.*)$", page, re.MULTILINE)
        assert [heading for heading in headings if heading in wanted] == wanted, name
        assert f"- {name}: explainers/{name}.md\n" in navigation, name
        assert f"\n| [`{name}`](explainers/{name}.md) |" in choosing, name


def test_every_metric_has_its_page() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text()
    overview = (ROOT / "docs/choosing-a-metric.md").read_text()
    told = {"label-randomization": LabelRandomization("runs/mine")}
    wanted = ["Formula", "How to read it", "What it assumes", "Cost", "Use", "Reference"]
    for name, kind in METRICS.items():
        page = (ROOT / f"docs/metrics/{name}.md").read_text()
        assert page.startswith(f"# {name}\n"), name
        headings = re.findall("^## (.*)$", page, re.MULTILINE)
        assert [heading for heading in headings if heading in wanted] == wanted, name
        assert f"- {name}: metrics/{name}.md\n" in navigation, name
        metric = told[name] if name in told else kind()
        if (sign := getattr(metric, "sign", None)) is not None:
            assert re.search(rf"`sign`(,| \|) `{sign}`", page), f"{name} does not say what sign is by default"
        row = rf"^\| \[`{name}`\]\(metrics/{name}\.md\) \| [^|]+ \| (.*) \|$"
        found = re.search(row, overview, re.MULTILINE)
        assert found, name
        assert found[1] == f"{metric.needs} | {metric.better} | {metric.cost}", name

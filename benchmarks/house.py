"""The shape of the source tree, counted by `ast`: `python -m benchmarks.house [--json FILE] [--verbose] [ROOT]`."""

import argparse
import ast
import json
import re
import statistics
import subprocess
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping
from importlib.util import resolve_name
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = "pellucid"
# What a reader passes through, from one `module:name` to another; of two neighbors one imports the other.
WALKS = {
    "an eps from the command line to a saved record": """
        cli.measure:measure cli.options cli.measure attacks.by_name naming config attacks.by_name attacks.attack
        attacks.pgd attacks.attack subjects.measured evaluate.robustness.measuring evaluate.robustness.record
        evaluate.robustness.measuring ledger.work ledger.folder ledger.table ledger.checksums files:write_bytes""",
    "a batch through an audit": """
        audits.carrying_out:carry_out audits.part audits.robust.part evaluate.robustness.measuring data.split batch
        data.tensors batch ledger.halving ledger.work evaluate.robustness.measuring attacks.attack attacks.ladder
        attacks.attack attacks.worst_of attacks.attack attacks.pgd attacks.search attacks.victim probe looking probe
        attacks.victim attacks.goals attacks.attack evaluate.robustness.measuring evaluate.robustness.record
        audits.robust.part page.figure audits.finding audits.folder:AuditFolder""",
    "a probe through a training step": """
        train.epoch_loop:EpochLoop probe objectives.objective objectives.gradient_norm probe autograd.second_order
        probe looking contained looking probe train.epoch_loop train.epoch_sums:EpochSums""",
    "a map to its picture": """
        explainers.gradient:Gradient explainers.explainer explainers.explanation subjects.explained
        reports.explanations drawing.colors reports.explanations drawing.sheet files:write_bytes""",
    "a metric to the page of the report": """
        evaluate.explanations.sparsity:Sparsity evaluate.explanations.metric evaluate.explanations.judging
        audits.explained.part page.figure audits.finding audits.section audits.explained.section audits.section
        reports.contents reports.draw:page""",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Place = tuple[str, str]  # a module, and a name in it or nothing
ANY = ("typing", "Any")
PLACE = re.compile(rf"({PACKAGE}[\w.]*):(\w+)")  # as registries write it
WATCHES = re.compile(r"while True:\s+try:\s+.*\bnext\(\w+\)")
NAMED = r"(?:\bName\(id|\barg\(arg|(?<!alias\()\bname)='(\w+)'"  # in what `ast.dump` writes


class Module(NamedTuple):
    name: str
    file: str
    lines: int
    tree: ast.Module


class Written(NamedTuple):
    """A function or class, where it is written and what it lies in; `path` is as `Class.method`."""

    module: Module
    path: str
    node: Function | ast.ClassDef
    owner: ast.AST

    def __str__(self) -> str:
        return f"{self.module.file}:{self.path}"

    @property
    def is_public(self) -> bool:
        return not isinstance(self.owner, Function) and not re.search(r"(^|\.)_(?!\w+__\b)", self.path)

    @property
    def arguments(self) -> list[ast.arg]:
        """What a function takes, `self` and `cls` left out."""
        if isinstance(self.node, ast.ClassDef):
            return []
        given = self.node.args
        found = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
        return [argument for argument in found if argument.arg not in ("self", "cls")]

    @property
    def fields(self) -> dict[str, ast.expr]:
        body = self.node.body if isinstance(self.node, ast.ClassDef) else []
        return {ast.unparse(one.target): one.annotation for one in body if isinstance(one, ast.AnnAssign)}


class Imports:
    """Which modules each imports; a name that a package hands on counts for the file that defines it too."""

    def __init__(self, modules: Mapping[str, Module]) -> None:
        self.modules = modules
        self.bound = {name: dict(self._bound(module)) for name, module in modules.items()}
        self.of = {name: set(self._all(name)) & modules.keys() - {name} for name in modules}

    def origin(self, place: Place) -> Place:
        """Where a name is defined, past everything that hands it on."""
        onward = self.bound.get(place[0], {}).get(place[1], place)
        inner = ".".join(place)
        return self.origin(onward) if onward != place else (inner, "") if inner in self.modules else place

    def named(self, own: str, node: ast.AST) -> Place:
        """Where a name, or an attribute of a module, that is written in a module was defined."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, inner = self.origin((own, node.value.id))
            return ("", "") if inner else self.origin((module, node.attr))
        return self.origin((own, node.id)) if isinstance(node, ast.Name) else ("", "")

    def types(self, own: str, annotation: ast.AST) -> set[Place]:
        """The types that are named in an annotation; what functions take and return is another matter."""
        if isinstance(annotation, ast.Subscript) and "Callable" in ast.unparse(annotation.value):
            return set()
        inner = (self.types(own, child) for child in ast.iter_child_nodes(annotation))
        return {self.named(own, annotation)}.union(*inner)

    def _bound(self, module: Module) -> Iterator[tuple[str, Place]]:
        package = module.name if module.file.endswith("__init__.py") else module.name.rpartition(".")[0]
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import):
                yield from ((alias.asname or alias.name, (alias.name, "")) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = resolve_name("." * node.level + (node.module or ""), package)
                yield from ((alias.asname or alias.name, (base, alias.name)) for alias in node.names)
            elif isinstance(node, ast.Constant) and (found := PLACE.fullmatch(str(node.value))):
                yield found[0], (found[1], found[2])

    def _all(self, own: str) -> Iterator[str]:
        for place in self.bound[own].values():
            yield from (place[0], self.origin(place)[0])
        yield from (self.named(own, node)[0] for node in ast.walk(self.modules[own].tree))


def read(folder: Path) -> dict[str, Module]:
    found: dict[str, Module] = {}
    for path in sorted(folder.rglob("*.py")):
        text, inner, stub = path.read_text("utf-8"), path.relative_to(folder), path.with_suffix(".pyi")
        tree = ast.parse(f"{text}\n{stub.read_text('utf-8') if stub.exists() else ''}")
        name = ".".join((folder.name, *inner.with_suffix("").parts)).removesuffix(".__init__")
        found[name] = Module(name, inner.as_posix(), len(text.splitlines()), tree)
    return found


def written(module: Module, node: ast.AST, owner: ast.AST, path: str = "") -> Iterator[Written]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            own = f"{path}.{child.name}".removeprefix(".")
            yield Written(module, own, child, owner)
            yield from written(module, child, child, own)
        else:
            yield from written(module, child, owner, path)


def normalized(one: Written) -> str:
    """A function's body with locals named by their order; nothing of one below 5 statements, which may be alike."""
    body = one.node.body[ast.get_docstring(one.node) is not None :]
    if sum(isinstance(node, ast.stmt) for part in body for node in ast.walk(part)) < 5:
        return ""
    text = " ".join(map(ast.dump, body))
    order = {argument.arg: number for number, argument in enumerate(one.arguments)}
    for name in re.findall(f"{NAMED}(?!, ctx=Load)", text):
        order.setdefault(name, len(order))
    return re.sub(NAMED, lambda found: found[0].replace(f"'{found[1]}'", str(order.get(found[1], found[1]))), text)


def untyped(imports: Imports, public: Iterable[Written]) -> Iterator[str]:
    """Functions and fields that `Any` goes through: itself, in a table or a list, or by a name for these."""
    tops = ((name, node) for name, module in imports.modules.items() for node in module.tree.body)
    named = ((name, node) for name, node in tops if isinstance(node, ast.Assign) and ANY in imports.types(name, node))
    loose = {ANY, *((name, ast.unparse(node.targets[0])) for name, node in named)}
    for one in public:
        own = [*(argument.annotation for argument in one.arguments), getattr(one.node, "returns", None)]
        fields = {f"{one}.{name}": [kind] for name, kind in one.fields.items() if name[0] != "_"}
        for name, kinds in {str(one): [*filter(None, own)], **fields}.items():
            if any(imports.types(one.module.name, kind) & loose for kind in kinds):
                yield name


def walked(imports: Imports, places: Container[str], walk: str) -> int | str:
    """How many files a walk leads through, or where it is broken."""
    steps = [f"{PACKAGE}.{step}" for step in walk.split()]
    if lost := [step for step in steps if step not in places]:
        return f"broken: there is no {lost[0]}"
    files = [step.partition(":")[0] for step in steps]
    for one, other in pairwise(files):
        if other not in imports.of[one] and one not in imports.of[other]:
            return f"broken: neither of {one} and {other} imports the other"
    return len(set(files))


def alike(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    """The names that stand for more than one thing, those of most first."""
    found: dict[str, list[Any]] = defaultdict(list)
    for name, what in pairs:
        found[name].append(what)
    several = [(name, things) for name, things in found.items() if name and len(things) > 1]
    return dict(sorted(several, key=lambda item: (-len(item[1]), item[0])))


def measure(root: Path, walks: Mapping[str, str] = WALKS) -> dict[str, Any]:
    imports = Imports(modules := read(root / "src" / PACKAGE))
    everything = [one for module in modules.values() for one in written(module, module.tree, module.tree)]
    functions = [one for one in everything if isinstance(one.node, Function)]
    public = [one for one in everything if one.is_public]
    places = {*modules, *(f"{one.module.name}:{one.path}" for one in everything)}
    sizes = {module.file: module.lines for module in modules.values()}
    inner = {name: module.file for name, module in modules.items() if "__" not in module.file}
    importers = ((file, [other for other in modules if name in imports.of[other]]) for name, file in inner.items())
    once = {file: modules[others[0]].file for file, others in importers if len(others) == 1}
    lists = {str(one): len(one.arguments) for one in functions if not one.module.file.startswith("cli/")}
    copies = alike((normalized(one), one) for one in functions).values()
    again = (one.node for group in copies for one in group[1:])
    shared = alike((one.path, one.module.file) for one in public if one.owner is one.module.tree)
    return {
        "files": len(modules),
        "lines": sum(sizes.values()),
        "lines a file, median": statistics.median(sizes.values()),
        "largest files": dict(Counter(sizes).most_common(5)),
        "files imported by one other": once,
        "of those, by no __init__.py": [file for file, other in once.items() if "__" not in other],
        "longest parameter lists outside cli": dict(Counter(lists).most_common(5)),
        "functions of more than 8 parameters outside cli": sum(count > 8 for count in lists.values()),
        "functions that watch steps": [str(one) for one in functions if WATCHES.search(ast.unparse(one.node))],
        "classes of just done and total": [str(one) for one in public if one.fields.keys() == {"done", "total"}],
        "classes of these and more": [str(one) for one in public if one.fields.keys() > {"done", "total"}],
        "functions written more than once": [list(map(str, group)) for group in copies],
        "lines written again": sum((node.end_lineno or 0) + 1 - node.lineno for node in again),
        "untyped seams": list(untyped(imports, public)),
        "names defined by several modules": len(shared),
        "the most often defined": dict([*shared.items()][:20]),
        "file names in several folders": alike((Path(file).name, file) for file in inner.values()),
        "files passed through": {name: walked(imports, places, walk) for name, walk in walks.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).parent.parent, metavar="ROOT")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it there too")
    parser.add_argument("--verbose", action="store_true", help="print the lists behind the counts")
    arguments = parser.parse_args()
    git = ["git", "-C", str(arguments.root), "rev-parse", "--short=7", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    content = {"commit": commit, **measure(arguments.root)}
    if arguments.json:
        arguments.json.write_text(json.dumps(content, indent=2) + "\n")
    for name, value in content.items():
        shown = arguments.verbose or name.startswith(("largest", "longest", "files passed"))
        print(f"{name}:", json.dumps(value, indent=2) if shown or not isinstance(value, list | dict) else len(value))


if __name__ == "__main__":
    main()

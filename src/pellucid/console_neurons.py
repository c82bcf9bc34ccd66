"""What a person sees of neurons: a bar for each stage, and tables layer by layer."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column, Table

from pellucid.evaluate.neurons import Stage
from pellucid.printable import all_printable
from pellucid.terminal import Terminal

_FIGURES = {
    "identity": "level, classes unlike each other",
    "identity_corrected": "  with chance at 0",
    "level": "level, {similarity}",
    "corrected": "  with chance at 0",
    "beyond": "neurons beyond permuted labels (p <= .05)",
    "content": "CS1: stays with the content",
    "content_above": "  above permuted labels",
    "target": "CS2: goes with the target",
    "target_above": "  above permuted labels",
    "difference": "CS1 - CS2",
    "r_mean": "r_mean: nearer to the target above 1",
    "r_inst": "r_inst: nearer to the target above 1",
    "auroc_errors": "support foretells errors (AUROC)",
    "auroc_attacks": "support foretells attacks (AUROC)",
}

# beneath another's row the name is short; alone it says all
_SPELLED = {
    "identity_corrected": "the same with chance at 0",
    "corrected": "level, {similarity}, with chance at 0",
    "content_above": "CS1 above permuted labels",
    "target_above": "CS2 above permuted labels",
}


class NeuronsConsole:
    """A terminal, or nothing at all where `quiet`."""

    def __init__(self, quiet: bool = False) -> None:
        self.out = Terminal(quiet=quiet)
        self.err = Terminal(quiet=quiet, stderr=True)

    @contextmanager
    def progress(self) -> Generator[Callable[[Stage], None]]:
        """A bar over the images, for one stage after the other."""
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self.err, transient=True) as bar:
            task = bar.add_task("activations", total=None)

            def watch(stage: Stage) -> None:
                bar.update(task, description=stage.name, completed=stage.done, total=stage.total)

            yield watch

    def report(self, content: Mapping[str, Any]) -> None:
        """Each layer's figures, then its neurons from both ends."""
        content = all_printable(content)
        kind = content["similarity"]["kind"]
        for layer in content["layers"]:
            self._figures(layer, content, kind)
            self._neurons(layer)
            if layer["support_unknown"]:
                unknown = layer["support_unknown"]
                self.out.print(f"{unknown} predictions rest on no neuron that means anything; they have no support")
            self.out.print(f"all neurons: {layer['table']}")
            if layer["layer"] in content["pictures"]:
                self.out.print(f"their images: {content['pictures'][layer['layer']]}")

    def _figures(self, layer: Mapping[str, Any], content: Mapping[str, Any], kind: str) -> None:
        alive, dead = layer["neurons"] - layer["dead"], layer["dead"]
        images = f"{layer['count']} of {layer['images']} images activate a neuron"
        title = (
            f"{content['model']} on {content['data']}, layer {layer['layer']}: {alive} neurons, {dead} dead; {images}"
        )
        # numbers are never cut, or a narrow window would show none
        numbers = (Column(name, no_wrap=True) for name in ("value", "95 % interval", "chance"))
        table = Table("measure", *numbers, box=SIMPLE, title=title)
        chances = {"identity": layer["identity_chance"], "level": layer["chance"], "beyond": 0.05}
        lacking: dict[str, list[str]] = {}
        for name, words in _FIGURES.items():
            found = layer[name]
            if kind == "identity" and name in ("level", "corrected"):
                continue
            if found is None:
                label = _SPELLED.get(name, words.partition(":")[0]).format(similarity=kind)
                lacking.setdefault(layer["missing"][name], []).append(label)
                continue
            chance = f"{chances[name]:.4f}" if name in chances else ""
            interval = f"{found['low']:.4f} to {found['high']:.4f}"
            table.add_row(words.format(similarity=kind), f"{found['value']:.4f}", interval, chance)
        if table.row_count:
            self.out.print(table)
        else:
            self.out.print(title)
        for reason, labels in lacking.items():
            self.out.print(f"no value of {'; '.join(labels)}: {reason}")
        if layer["tried"]:
            self.out.print(f"{layer['succeeded']} of {layer['tried']} attacks led an image to the class wanted")

    def _neurons(self, layer: Mapping[str, Any]) -> None:
        numbers = (Column(name, no_wrap=True) for name in ("level", "p"))
        if not layer["most"]:
            return
        table = Table("", "neuron", *numbers, "classes of its images", box=SIMPLE)
        for end in ("most", "least"):
            name = f"{end} consistent"
            for row in layer[end]:
                classes = ", ".join(f"{one} {share:.0%}" for one, share in row["classes"])
                table.add_row(name, str(row["neuron"]), f"{row['level']:.4f}", f"{row['p']:.3f}", classes)
                name = ""
        self.out.print(table)

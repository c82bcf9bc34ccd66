"""A folder of explanations: maps as pictures, one contact sheet, and the numbers behind them.

sheet.png          all pictures, methods and classes side by side; of many classes the first of them, and then
                   sheet-2.png and so on have the next
*.png              PICTURE-CLASS-METHOD: a map, with a pixel for each of its own; an explanation that is an image is
                   there too, ending in -image, and its distance from the picture around gray, in -difference
explanations.npz   raw maps, classes and logits
explanations.json  what they are of, and how they were made
"""

import re
import zipfile
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import numpy
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

import pellucid
from pellucid import config
from pellucid.drawing import Cell, Sheet, colored, difference, photograph, plane, save, scaled
from pellucid.explainers import AdversarialExplanation, Explainer
from pellucid.files import Write, json_text, make_folder, replacing, write_text
from pellucid.norms import RMS
from pellucid.page.words import legends
from pellucid.subjects import Account, Shown, untrained_words


def write(
    folder: Path,
    shown: Shown,
    accounts: Iterable[Account],
    explainers: Mapping[str, Explainer],
    *,
    seed: int,
) -> dict[str, Any]:
    """Write everything, and say what lies where. Accounts of one portion are held at a time, and have a sheet."""
    entries: list[dict[str, Any]] = []
    sheets: list[str] = []
    with ExitStack() as stack:
        add: _Add | None = None
        for number, (_, portion) in enumerate(groupby(accounts, lambda account: account.portion), 1):
            several = list(portion)  # before anything is written: what cannot be explained leaves no trace
            if add is None:
                make_folder(folder)
                add = stack.enter_context(_arrays(folder / "explanations.npz"))
                add("x", shown.x.cpu().numpy())
                add("logits", shown.logits.numpy())
            sheet = folder / ("sheet.png" if number == 1 else f"sheet-{number}.png")
            entries += _portion(folder, shown, several, explainers, sheet)
            sheets.append(str(sheet))
            while several:  # so that none is held while the next portion is made
                _add_arrays(add, several.pop())
    content = {
        "model": shown.name,
        "untrained": shown.untrained,
        "pictures": list(shown.names),
        "legends": {name: explainer.legend for name, explainer in explainers.items()},
        "explainers": {name: config.dump(one.resolved(shown.x.shape[1:])) for name, one in explainers.items()},
        "seed": seed,
        "versions": {"pellucid": pellucid.__version__, "torch": torch.__version__},
        "sheet": sheets[0],
        "sheets": sheets,
        "explanations": entries,
    }
    write_text(folder / "explanations.json", json_text(content))
    return content


def _portion(
    folder: Path, shown: Shown, accounts: Sequence[Account], explainers: Mapping[str, Explainer], sheet: Path
) -> list[dict[str, Any]]:
    """The pictures and the sheet of some accounts, and what there is to say of each map."""
    probabilities = shown.logits.double().softmax(1)
    stems, words = _unique(shown.names), _unique(shown.classes)
    entries: list[dict[str, Any]] = []
    cells: dict[tuple[int, int], dict[str, Cell]] = {}
    feet: list[str] = []
    for account in accounts:
        sums = account.found.completeness
        for number, stem in enumerate(stems):
            of = int(account.found.of[number])
            map = account.found.map[number].detach().cpu()
            values, scale = scaled(plane(map))
            pictures = {"": Image.fromarray(colored(values, signed=explainers[account.explainer].signed))}
            columns = cells.setdefault((number, of), {})
            due, lost = (None, None) if sums is None else (float(sums.due[number]), sums.lost[number])
            notes = account.found.notes[number]
            feet += [note for note in notes if note not in feet]
            below = (*account.found.in_short(number), *(f"note {feet.index(note) + 1}" for note in notes))
            leads_to = _leads_to(shown, account, explainers[account.explainer], number)
            if leads_to is not None and account.found.image is not None:
                pictures["-image"] = photograph(account.found.image[number])
                pictures["-difference"] = difference(map)
                columns[account.explainer] = Cell(pictures["-image"], (*where_to(leads_to), *below))
                change = f"white or black = {float(map.abs().max()):.3g}"
                columns[f"{account.explainer}, change"] = Cell(pictures["-difference"], (change,))
            else:
                columns[account.explainer] = Cell(pictures[""], (f"1 = {scale:.3g}", *below))
            base = f"{stem}-{words[of]}-{account.explainer}"
            for ending, picture in pictures.items():
                save(picture, folder / f"{base}{ending}.png")
            entries.append(
                {
                    "picture": shown.names[number],
                    "explainer": account.explainer,
                    "of": shown.classes[of],
                    "asked": account.asked,
                    "probability": float(probabilities[number, of]),
                    "scale": scale,
                    "sum": float(map.double().sum()),
                    "due": due,
                    "lost": lost,
                    "idle": None if account.found.idle is None else float(account.found.idle[number]),
                    "notes": list(notes),
                    "leads_to": leads_to,
                    "paths": [str(folder / f"{base}{ending}.png") for ending in pictures],
                }
            )
    save(_sheet(shown, probabilities, cells, [*_legend(explainers), *_numbered(feet)]), sheet)
    return entries


def _sheet(
    shown: Shown, probabilities: Tensor, cells: Mapping[tuple[int, int], Mapping[str, Cell]], feet: Sequence[str]
) -> Image.Image:
    methods = list(dict.fromkeys(method for columns in cells.values() for method in columns))
    nothing = Cell(Image.new("RGB", (1, 1), "white"))
    rows: list[list[Cell]] = []
    for number, of in sorted(cells, key=lambda key: key[0]):
        likely = int(probabilities[number].argmax())
        predicted = f"predicted: {_said(shown, probabilities, number, likely)}"
        asked = f"explained: {_said(shown, probabilities, number, of)}"
        own = Cell(photograph(shown.x[number]), (shown.names[number], predicted, asked))
        rows.append([own, *(cells[number, of].get(method, nothing) for method in methods)])
    first = [untrained_words([shown.name])] if shown.untrained else []
    return Sheet(["picture", *methods], rows, "\n".join([*first, *feet])).drawn()


def _legend(explainers: Mapping[str, Explainer]) -> list[str]:
    lines = legends({name: explainer.legend for name, explainer in explainers.items()})
    if all(explainer.leads_to_image for explainer in explainers.values()):
        return lines
    return [*lines, "1 = is the scale of a map: full color is that number, and no two maps need have the same"]


def _numbered(feet: Sequence[str]) -> list[str]:
    return [f"note {number}: {note}" for number, note in enumerate(feet, 1)]


def _leads_to(shown: Shown, account: Account, explainer: Explainer, number: int) -> dict[str, Any] | None:
    """How sure the network is of the class at the image that an explanation leads to, and how far that is."""
    if account.found.image is None:
        return None
    of, image = int(account.found.of[number]), account.found.image[[number]].detach()
    norm = explainer.norm if isinstance(explainer, AdversarialExplanation) else RMS()
    after, drawn = shown.probabilities(image)[0], shown.probabilities(image.clamp(0, 1))[0]
    return {
        "probability": float(after[of]),
        "probability_as_drawn": float(drawn[of]),
        "reached": int(after.argmax()) == of,
        "reached_as_drawn": int(drawn.argmax()) == of,
        "predicted": shown.classes[int(after.argmax())],
        "distance": float(norm.size(account.found.map[[number]].detach())[0]),
        "asked_for": explainer.rho if isinstance(explainer, AdversarialExplanation) else None,
        "norm": config.kind_of(type(norm)),
    }


def where_to(found: Mapping[str, Any]) -> tuple[str, ...]:
    """The same in short lines under a picture."""
    asked = "" if found["asked_for"] is None else f" of {found['asked_for']:.3g}"
    lines = [f"leads to {found['probability']:.1%}", f"{found['norm']} {found['distance']:.3g}{asked}"]
    if abs(found["probability"] - found["probability_as_drawn"]) >= _SEEN:
        lines[0] += f", {found['probability_as_drawn']:.1%} as drawn"
    if not found["reached"]:
        lines.append(f"not reached: {found['predicted']} is likelier")
    elif not found["reached_as_drawn"]:
        lines.append("reached, but not as drawn")
    return tuple(lines)


_SEEN = 0.0005  # of a probability that is written with a digit after the point


def _said(shown: Shown, probabilities: Tensor, number: int, of: int) -> str:
    return f"{shown.classes[of]} ({float(probabilities[number, of]):.1%})"


class _Stream:
    """A file that an archive can be written to from its beginning to its end."""

    def __init__(self, write: Write) -> None:
        self._write = write

    def write(self, content: bytes) -> int:
        """Write on."""
        self._write(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""


class _Add:
    """Adds arrays to a .npz file, one after the other, so that no two need be held at once."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = set[str]()

    def __call__(self, name: str, array: NDArray[Any]) -> None:
        """Add an array."""
        if name in self._names:
            return
        self._names.add(name)
        with self._archive.open(f"{name}.npy", "w", force_zip64=True) as file:
            npy.write_array(file, numpy.asanyarray(array), allow_pickle=False)


@contextmanager
def _arrays(path: Path) -> Generator[_Add]:
    with replacing(path) as write, zipfile.ZipFile(cast("Any", _Stream(write)), "w") as archive:
        yield _Add(archive)


def _add_arrays(add: _Add, account: Account) -> None:
    key = f"{account.explainer}/{account.asked}"
    add(f"{key}/map", account.found.map.detach().cpu().numpy())
    add(f"{key}/of", account.found.of.cpu().numpy())
    if account.found.image is not None:
        add(f"{key}/image", account.found.image.detach().cpu().numpy())


def _unique(names: Sequence[str]) -> list[str]:
    """Names for files that no two share, though what they are made of may."""
    filed = [re.sub(r"[^A-Za-z0-9._-]+", "_", name) for name in names]
    return [name if filed.count(name) == 1 else f"{name}-{number}" for number, name in enumerate(filed, 1)]

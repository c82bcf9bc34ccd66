"""What an examination came to, as files: figures, a row for each neuron, and arrays."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pellucid import config, files
from pellucid.evaluate.neurons.examining import Examined
from pellucid.evaluate.neurons.layer_findings import LayerFindings
from pellucid.evaluate.neurons.observing import column_of
from pellucid.ledger import checksums, identity
from pellucid.metrics.neurons import ClassSimilarity, Reading
from pellucid.printable import cell


def write_findings(
    examined: Examined,
    found: Sequence[LayerFindings],
    similarity: ClassSimilarity,
    how: Reading,
    *,
    top: int = 5,
    images: int = 8,
    out: Path | None = None,
) -> dict[str, Any]:
    """Write everything, and say what there is: each layer's figures, and its `top` neurons from both ends.

    It goes to a folder of its own for each similarity and reading, in `out` or the folder of the examination.
    `images` are listed that activate each neuron most.
    """
    base = out or examined.path
    assert base is not None, "an examination without a folder needs `out`"
    settings = {"similarity": config.dump(similarity), "how": config.dump(how), "which": found[0].which}
    path = base / f"{config.kind_of(type(similarity))}-{identity(settings)}"
    files.inner_folder(path)
    layers: list[dict[str, Any]] = []
    for one in found:
        rows = neuron_rows(one, examined, images)
        name = re.sub(r"[^A-Za-z0-9._-]+", "_", one.layer)
        files.write_text(path / f"neurons-{name}.csv", _csv(rows))
        checksums.write_arrays(path / f"neurons-{name}.npz", arrays(one))
        ends = {"most": rows[:top], "least": rows[::-1][:top]}
        layers.append({**one.content(), **ends, "table": str(path / f"neurons-{name}.csv")})
    content = {
        "images": len(examined.activations),
        "classes": list(examined.classes),
        "pool": examined.probing.pool,
        "attack": None if examined.probing.attack is None else config.dump(examined.probing.attack),
        **settings,
        "path": str(path),
        "layers": layers,
    }
    files.write_text(path / "neurons.json", files.json_text(content) + "\n")
    return content


def neuron_rows(found: LayerFindings, examined: Examined, images: int = 8) -> list[dict[str, Any]]:
    """A row for each neuron that is not dead, the most consistent first."""
    table, classes = found.table, examined.classes
    attacked = {} if found.ambiguity is None else {int(one): row for row, one in enumerate(found.ambiguity.neuron)}
    numbers = examined.activations.columns["index"]
    best = top_rows(examined.activations.columns[column_of(found.layer)], table.neuron, images)
    rows: list[dict[str, Any]] = []
    for row in table.order().tolist():
        neuron = int(table.neuron[row])
        favorites = table.shares[row].argsort(descending=True, stable=True)[:3].tolist()
        line: dict[str, Any] = {
            "neuron": neuron,
            "level": float(table.level[row]),
            "corrected": float(table.corrected[row]),
            "identity": float(found.identity.level[row]),
            "null": float(table.null[row]),
            "p": float(table.p[row]),
            "class": classes[int(table.favorite[row])],
            "share": float(table.shares[row].max()),
            "classes": [[classes[one], float(table.shares[row, one])] for one in favorites],
            "top_images": numbers[best[row]].tolist(),
        }
        if found.ambiguity is not None:
            place = attacked.get(neuron)
            for name in ("content", "target", "difference"):
                line[name] = None if place is None else float(getattr(found.ambiguity, name)[place])
            line["note"] = "" if place is not None else "it says the same of all attacked images"
        rows.append(line)
    return rows


def arrays(found: LayerFindings) -> dict[str, Any]:
    """The columns of a layer."""
    table = found.table
    columns: dict[str, Tensor] = {
        "neuron": table.neuron,
        "level": table.level,
        "identity": found.identity.level,
        "null": table.null,
        "p": table.p,
        "shares": table.shares,
    }
    if found.ambiguity is not None:
        one = found.ambiguity
        columns |= {
            "attacked_neuron": one.neuron,
            "content": one.content,
            "target": one.target,
            "content_null": one.content_null,
            "target_null": one.target_null,
        }
    if found.ratios is not None:
        columns |= {"r_mean": found.ratios.means, "r_inst": found.ratios.instances}
    if found.support is not None:
        support = found.support
        columns |= {
            "support": support.scores,
            "support_index": support.index,
            "support_attacked": support.attacked,
            "support_wrong": support.wrong,
        }
    return {name: column.numpy() for name, column in columns.items()}


def top_rows(activations: Tensor, neurons: Tensor, images: int) -> Tensor:
    """The rows of the images that activate each neuron most; of equal ones the first."""
    some = activations[:, neurons]
    return torch.argsort(some, dim=0, descending=True, stable=True)[:images].T


def _csv(rows: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        table.writeheader()
        for row in rows:
            joined = {
                "classes": " ".join(f"{name}:{share:.3f}" for name, share in row["classes"]),
                "top_images": " ".join(map(str, row["top_images"])),
            }
            table.writerow({name: cell(value) for name, value in (row | joined).items()})
    return text.getvalue()

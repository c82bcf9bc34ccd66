"""Every reader of files and every parser of words, as functions of an input and a folder to write it to."""

import gzip
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy
import torch

from audits.specimen import MODELS, specimen
from fuzz.running import Read
from pellucid import audits, config, data, explainers, models, runs
from pellucid.attacks import Budget, named
from pellucid.audits import AuditFolder, Requirement, announced, chosen, conclusion, gate
from pellucid.data.cifar import FORMS
from pellucid.data.mnist import read_idx
from pellucid.errors import PellucidError
from pellucid.evaluate.class_importance.folder import ImportanceFolder
from pellucid.evaluate.explanations import metrics_named
from pellucid.evaluate.retrain.ranks import Ranks
from pellucid.evaluate.robustness.record import Record
from pellucid.explainers.normlime import Vocabulary
from pellucid.models.weight_files import is_torchscript, read_weights
from pellucid.reports.contents import Contents
from pellucid.reports.read import Audit
from pellucid.runs import RunFolder, headline
from pellucid.subjects import Asked, classes_asked, similarity_of, with_columns
from pellucid.train import Checkpoints
from pellucid.train.references import MapFolder

SPLIT = data.TensorSplit(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), torch.arange(3) % 2, ("cat", "dog"))


def written(name: str, read: Callable[[Path], object]) -> Read:
    """A reader of one file."""

    def target(content: bytes, scratch: Path) -> object:
        path = scratch / name
        path.write_bytes(content)
        return read(path)

    return target


def inside(make: Callable[[Path], object], name: str, read: Callable[[Path], object]) -> Read:
    """A reader of a folder that is made once, in which one file is as the input says."""

    def target(content: bytes, scratch: Path) -> object:
        home = scratch / "home"
        if not home.exists():
            make(home)
            for ledger in home.rglob("checksums.txt"):
                ledger.unlink()  # as whoever tampers with a file would
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
        return read(home)

    return target


def text(read: Callable[[str], object]) -> Read:
    """A parser of what a person types."""
    return lambda content, _: read(content.decode("utf-8", "surrogateescape"))


def repacked(change: Callable[[bytes], bytes], target: Read) -> Read:
    """A reader of what is packed, where what is inside is as the input says."""
    return lambda content, scratch: target(change(content), scratch)


def members(content: bytes) -> bytes:
    """An archive of arrays: the name of each in a line, and its file up to the next."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in content.split(b"\n-- ")[1:8]:
            name, _, inner = part.partition(b"\n")
            archive.writestr(f"{name[:40].decode('latin1') or 'x'}.npy".replace("\0", ""), inner)
    return buffer.getvalue()


def saved(content: bytes) -> bytes:
    """What `torch.save` writes, with this pickle in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a/data.pkl", content)
        for name, inner in {"byteorder": b"little", "data/0": bytes(64), "version": b"3\n"}.items():
            archive.writestr(f"a/{name}", inner)
    return buffer.getvalue()


def tarred(content: bytes) -> bytes:
    """An archive of CIFAR-10 in its pickled form, all of whose files are this one."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in (*FORMS[0].train, FORMS[0].test, FORMS[0].meta):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def records(content: bytes, _: Path) -> object:
    """CIFAR's files of records."""
    form = FORMS[1 + 2 * (len(content) % 2)]
    form.class_names({form.meta: content}, "'a'")
    return form.batch(content, "'a'")


def pickles(content: bytes, _: Path) -> object:
    """CIFAR's files of pickles, and those of its classes."""
    with suppress(PellucidError):
        FORMS[2].class_names({"meta": content}, "'a'")
    return FORMS[0].batch(content, "'a'")


def idx_folder(home: Path) -> None:
    """MNIST's four files, of two images."""
    home.mkdir()
    for part in ("train", "t10k"):
        (home / f"{part}-images-idx3-ubyte").write_bytes(bytes.fromhex("00000803000000020000000100000001") + b"ab")
        (home / f"{part}-labels-idx1-ubyte").write_bytes(bytes.fromhex("0000080100000002") + b"\0\1")


def read_folder(home: Path) -> object:
    """Classes with pictures, of which the unreadable are left out."""
    for name in ("cat", "dog"):
        (home / name).mkdir(parents=True, exist_ok=True)
    for number in range(1, 4):
        shutil.copy(home / "cat" / "0.png", home / "cat" / f"{number}.png")
        shutil.copy(home / "cat" / "0.png", home / "dog" / f"{number}.png")
    return data.load(home, decoding=data.Decoding(workers=0), size=4, skip_bad=True)


def map_folder(home: Path) -> None:
    """Maps without what they are of."""
    home.mkdir()
    numpy.save(home / "maps.npy", numpy.zeros((3, 1, 2, 2), numpy.float32))


def run_folder(home: Path) -> None:
    """A run of one epoch that is complete, without its weights."""
    spec = runs.build(runs.table("standard", {"model.name": "mlp"}))
    home.mkdir()
    folder = RunFolder(home)
    folder.write_spec(spec)
    share = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 10}
    epoch = {"number": 1, "epochs": 1, "loss": 1.0, "terms": {}, "weights": {}, "accuracy": 0.5, "validation": share}
    epoch |= {"learning_rate": 0.1, "seconds": 1.0, "images_per_second": 9.0}
    (home / "epochs.jsonl").write_text(json.dumps(epoch) + "\n")
    folder.write_json("result.json", {"test": share})
    folder.write_json("model.json", {"name": "mlp", "options": {"shape": [1, 2, 2], "classes": 2}})


def read_run(home: Path) -> object:
    """All that is said of a run."""
    folder = RunFolder.open(home)
    return headline(home), folder.summary()


def tampered(home: Path) -> object:
    """All that is shown of an audit, but for charts."""
    folder = AuditFolder(home)
    contents = Contents.of(Audit.read(folder))
    return contents, folder.figures(), conclusion(folder, gate(folder, [Requirement.parse("accuracy >= 0.5")]))


def small_audit(home: Path) -> None:
    """An audit of one network, with few pictures."""
    specimen(home, models=MODELS[:1], side=4, images=1)


def requirement(words: str) -> object:
    """A requirement, as the command line takes it."""
    found = Requirement.parse(words)
    assert Requirement.parse(str(found)) == found
    announced([found], audits.PROFILES["quick"].announced)
    return found


def spec(path: Path) -> object:
    """Settings of a training, and their name."""
    return runs.build(runs.table(str(path))).folder


@cache
def small() -> Mapping[str, Any]:
    """The settings of a recipe."""
    return runs.table("standard")


def recipe(words: str) -> object:
    """A setting of a training."""
    return runs.build(config.override(dict(small()), words)).folder


def split_words(words: str) -> tuple[str, list[str]]:
    """A name, and what is set on it in the lines that follow."""
    name, *rest = words.split("\n")
    return name, rest


def listed(words: str) -> list[str]:
    """The words between commas."""
    return [word.strip() for word in words.split(",") if word.strip()]


def maps(home: Path) -> object:
    """Maps for training images."""
    folder = MapFolder.open(home)
    _ = folder.about, folder.fingerprint
    folder.check(SPLIT)
    return folder.load()


def record(path: Path) -> object:
    """What was measured; figures are computed only of a record that is what its folder says."""
    return len(Record.load(path))


def explanations(home: Path) -> object:
    """Explanations that were begun."""
    folder = ImportanceFolder(home)
    return folder.about, folder.count


TARGETS: Mapping[str, Read] = {
    "idx": written("a.idx", read_idx),
    "idx-gzip": repacked(lambda content: gzip.compress(content, 1), written("a.idx", read_idx)),
    "idx-labels": inside(idx_folder, "train-labels-idx1-ubyte", data.load),
    "npz": written("a.npz", data.load),
    "npz-arrays": repacked(members, written("a.npz", data.load)),
    "column": written("a.npy", data.column_from),
    "cifar-records": records,
    "cifar-pickle": pickles,
    "cifar-tar": written("a.tar.gz", data.load),
    "cifar-tar-gzip": repacked(lambda content: gzip.compress(tarred(content), 1), written("a.tar.gz", data.load)),
    "picture": written("a.png", lambda path: data.pictures([path], (3, 4, 4))),
    "picture-folder": inside(Path.mkdir, "cat/0.png", read_folder),
    "safetensors": written("a.safetensors", read_weights),
    "torch-save": written("a.pt", lambda path: (is_torchscript(path), read_weights(path))),
    "torch-save-pickle": repacked(saved, written("a.pt", read_weights)),
    "model-json": inside(run_folder, "model.json", lambda home: models.load(str(home))),
    "spec": written("a.toml", spec),
    "similarity": written("a.toml", lambda path: similarity_of(str(path))),
    "run-spec": inside(run_folder, "spec.toml", read_run),
    "run-epochs": inside(run_folder, "epochs.jsonl", read_run),
    "run-result": inside(run_folder, "result.json", read_run),
    "about": inside(small_audit, "audit.json", tampered),
    "audit-decided": inside(small_audit, "0-plain_0123456789ab/decisions.json", tampered),
    "audit-robust": inside(small_audit, "0-plain_0123456789ab/robustness.json", tampered),
    "audit-explained": inside(small_audit, "0-plain_0123456789ab/explanations.json", tampered),
    "audit-neurons": inside(small_audit, "0-plain_0123456789ab/neurons.json", tampered),
    "audit-gallery": inside(small_audit, "0-plain_0123456789ab/pictures.json", tampered),
    "audit-class-maps": inside(small_audit, "0-plain_0123456789ab/class maps.json", tampered),
    "record": written("record.npz", record),
    "ranks": written("ranks.npz", Ranks.load),
    "vocabulary": written("vocabulary.npz", Vocabulary.load),
    "explanations": inside(Path.mkdir, "explanations.json", explanations),
    "reference": inside(map_folder, "reference.json", maps),
    "checkpoint": inside(Path.mkdir, "epoch-000001.ckpt", lambda home: Checkpoints(home).latest()),
    "budget": text(Budget.parse),
    "requirement": text(requirement),
    "set": text(recipe),
    "set-attack": text(lambda words: named(split_words(words)[0], assignments=split_words(words)[1])),
    "goals": text(lambda words: named("pgd", goals=listed(words), eps=(8 / 255,))),
    "preset": text(lambda words: named("pgd", preset=words)),
    "recipe-preset": text(lambda words: runs.table("standard", preset=words)),
    "norm": text(lambda words: named("pgd", norm=words)),
    "option": text(lambda words: Asked("mlp", options=tuple(words.split("\n"))).settings),
    "explainers": text(lambda words: explainers.chosen(listed(split_words(words)[0]), split_words(words)[1])),
    "metrics": text(lambda words: metrics_named(listed(split_words(words)[0]), ["gradient"], split_words(words)[1])),
    "profile": text(lambda words: chosen("quick", words.split("\n"))),
    "classes-asked": text(lambda words: classes_asked(listed(words), SPLIT.classes)),
    "columns": text(lambda words: with_columns(SPLIT, [words])),
    "source": text(data.load),
    "source-path": text(lambda words: data.load(Path(words))),
    "network": text(lambda words: models.load(words.replace(":", ""))),
    "weights": text(read_weights),
}  # fmt: skip

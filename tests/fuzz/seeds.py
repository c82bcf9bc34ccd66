"""Write what the corpus begins with: small inputs that are as they should be. `python -m tests.fuzz.seeds`."""

import gzip
import io
import json
import pickle
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy
import torch
from PIL import Image
from safetensors.torch import save

from fuzz.running import CORPUS
from fuzz.targets import SPLIT, run_folder, small_audit
from pellucid import config, runs
from pellucid.evaluate.retrain.ranks import Ranks
from pellucid.evaluate.robustness.record import Record
from pellucid.explainers.normlime import Vocabulary
from pellucid.train import Checkpoints

_MAPS = "250ced351f35244c260f96417004c8e2706791cc06d81a49af15e2fe51d73b2f"
WORDS: Mapping[str, Sequence[str]] = {
    "budget": ("8/255", "0.03", "1e-3", ".5", "+1"),
    "requirement": ("accuracy >= 0.9", "robust_accuracy(linf, 8/255).low >= 40%", "loss<2", "a(b).high > 8/255"),
    "set": ("seed=3", "recipe.epochs=2", "recipe.optimizer.lr=0.1", 'method="x"', "model.options.a=[1]"),
    "set-attack": ("pgd\nsteps=10\neps=0.1", "fmn\nsteps=9", "square\nnorm.kind=l2", "ddn\nradius=0.1"),
    "goals": ("misclassified,below-chance", "confirmed"),
    "preset": ("madry2018-mnist", "x"),
    "recipe-preset": ("", "mnist"),
    "norm": ("linf", "l2", "rms"),
    "option": ("classes=3\nshape=[1, 8, 8]", "a.b=c", "pretrained=false"),
    "explainers": ("gradient,lime\nlime.masks=100", "smoothgrad\nsigma=0.1", "integrated-gradients"),
    "metrics": ("sparsity,deletion\ndeletion.steps=4", "random-similarity\nrandom-similarity.eps=0.1"),
    "profile": ("robustness.steps=3", "decisions.bins=4\nchecks.n=9", "robustness.linf=[0.1]"),
    "classes-asked": ("cat,1,predicted", "all", "pair,runner-up"),
    "columns": ("mask=m.npy", "a=~/b.npz"),
    "source": ("digits", "mnist", "./a", "cifar10"),
    "source-path": ("a.npz", "a.tar.gz", "a"),
    "network": ("mlp", "lenet", "runs/a", "a.pt2"),
    "weights": ("a.pt", "a.safetensors", "~/a"),
}


def arrays(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    numpy.savez_compressed(buffer, **columns)
    return buffer.getvalue()


def array(values: Any) -> bytes:
    buffer = io.BytesIO()
    numpy.save(buffer, values)
    return buffer.getvalue()


def pictures() -> dict[str, bytes]:
    pixels = numpy.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=numpy.uint8)
    image, found = Image.fromarray(pixels), dict[str, bytes]()
    kinds = {"png": "RGB", "gif": "P", "bmp": "RGB", "tiff": "RGB", "webp": "RGB", "jpeg": "RGB", "gray.png": "LA"}
    for ending, mode in kinds.items():
        buffer = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        image.convert(mode).save(buffer, ending.rpartition(".")[2], exif=exif)
        found[ending] = buffer.getvalue()
    return found


def contents(place: Path) -> dict[str, dict[str, bytes]]:
    """For each target its seeds, by name."""
    small = numpy.arange(60, dtype=numpy.uint8).reshape(5, 3, 4)
    idx = bytes.fromhex("000008020000000200000003") + b"abcdef"
    floats = bytes.fromhex("00000d0100000001") + bytes(4)
    mine = {"x": small, "y": numpy.arange(5) % 2, "layout": numpy.array("NHW")}
    mine["classes"] = numpy.array(["cat", "dog"])
    divided = {"x_train": small, "y_train": [0] * 5, "x_test": small, "y_test": [0] * 5}
    options = b'{"name": "mlp", "options": {"hidden": [3]}}'
    members = b"".join(b"\n-- " + name.encode() + b"\n" + array(values) for name, values in mine.items())
    batch = {"data": numpy.zeros((1, 3072), numpy.uint8), "labels": [1]}
    pickles = {f"{protocol}": pickle.dumps(batch, protocol) for protocol in (0, 2, 5)}
    pickles["meta"] = pickle.dumps({"label_names": ["a", b"b"], "fine_label_names": ["c"]}, 2)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"):
            content = pickles["meta" if name.endswith("meta") else "2"]
            member = tarfile.TarInfo(f"cifar/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    weights, nested = io.BytesIO(), io.BytesIO()
    torch.save({"a.weight": torch.zeros(2, 2), "a.bias": torch.ones(2)}, weights)
    torch.save({"epoch": 3, "state_dict": {"module.a": torch.zeros(1)}}, nested)
    home, folder = place / "run", place / "audit"
    run_folder(home)
    small_audit(folder)
    run = {name: (home / name).read_bytes() for name in ("spec.toml", "epochs.jsonl", "result.json", "model.json")}
    part = {path.stem: path.read_bytes() for path in (folder / "0-plain_0123456789ab").glob("*.json")}
    names = {"decided": "decisions", "robust": "robustness", "explained": "explanations", "neurons": "neurons"}
    names |= {"gallery": "pictures", "class-maps": "class maps"}
    names_of = ("index", "y", "predicted", "found", "distance", "confidence", "part")
    columns = {name: torch.zeros(2) for name in names_of}
    columns |= {name: torch.zeros(2, dtype=torch.bool) for name in ("reached", "reached_at_start")}
    columns |= {name: torch.ones(2, dtype=torch.int64) for name in ("forwards", "backwards")}
    about = {"classes": 2, "nearest": True, "levels": [], "attack": {}, "goal": {}, "norm": {}}
    Record(columns, about).save(place / "record.npz")
    Ranks(torch.zeros(2, 1, 2, 2, dtype=torch.int16), torch.zeros(3, dtype=torch.int64)).save(place / "ranks.npz")
    Vocabulary(torch.zeros(2, 3), torch.zeros(3), torch.ones(3)).save(place / "words.npz")
    Checkpoints(place / "ckpt").save(1, {"model": {"a": torch.zeros(2)}, "history": []})
    settings = {"about": {"images": 9, "classes": 2, "features": 4, "words": 0, "shape": [1, 2, 2]}, "batch": 4}
    about = {"shape": [3, 1, 2, 2], "data": SPLIT.fingerprint(), "dtype": "float32"}
    reference = {"about": about, "fingerprint": "a", "checksum": _MAPS}
    toml = config.toml(config.dump(runs.build(runs.table("adversarial-training")))).encode()
    return {
        "idx": {"bytes": idx, "floats": floats, "gzip": gzip.compress(idx, mtime=0)},
        "idx-gzip": {"bytes": idx, "floats": floats},
        "idx-labels": {"bytes": bytes.fromhex("0000080100000002") + b"\0\1"},
        "npz": {"mine": arrays(**mine), "divided": arrays(**divided)},
        "npz-arrays": {"mine": members},
        "column": {"npy": array(small), "npz": arrays(a=small), "big": array(small.astype(">f8"))},
        "cifar-records": {"ten": bytes(3073), "hundred": bytes(3074)},
        "cifar-pickle": pickles,
        "cifar-tar": {"gzip": tar.getvalue(), "plain": gzip.decompress(tar.getvalue())[:9000]},
        "cifar-tar-gzip": {"two": pickles["2"], "five": pickles["5"]},
        "picture": pictures(),
        "picture-folder": {name: content for name, content in pictures().items() if name in ("png", "jpeg", "gif")},
        "safetensors": {"two": save({"a": torch.zeros(2), "b": torch.ones(1, 2, dtype=torch.float16)})},
        "torch-save": {"plain": weights.getvalue(), "nested": nested.getvalue()},
        "torch-save-pickle": {"plain": _pickle_of(weights), "nested": _pickle_of(nested)},
        "model-json": {"mlp": run["model.json"], "lenet": b'{"name": "lenet"}', "options": options},
        "spec": {"own": toml, "named": b'method = "standard"\n[recipe]\nepochs = 3\n', "run": run["spec.toml"]},
        "similarity": {"kind": b'kind = "identity"\n', "other": b'kind = "wordnet"\nfile = "a"\n'},
        "run-spec": {"run": run["spec.toml"]},
        "run-epochs": {"run": run["epochs.jsonl"]},
        "run-result": {"run": run["result.json"]},
        "about": {"whole": (folder / "audit.json").read_bytes()},
        **{f"audit-{kind}": {"whole": part[name]} for kind, name in names.items()},
        "record": {"whole": (place / "record.npz").read_bytes()},
        "ranks": {"whole": (place / "ranks.npz").read_bytes()},
        "vocabulary": {"whole": (place / "words.npz").read_bytes()},
        "explanations": {"whole": json.dumps(settings).encode()},
        "reference": {"whole": json.dumps(reference).encode()},
        "checkpoint": {"whole": (place / "ckpt" / "epoch-000001.ckpt").read_bytes()},
        **{name: {f"{number}": words.encode() for number, words in enumerate(own)} for name, own in WORDS.items()},
    }  # fmt: skip


def _pickle_of(archive: io.BytesIO) -> bytes:
    import zipfile

    with zipfile.ZipFile(archive) as file:
        return file.read(next(name for name in file.namelist() if name.endswith("data.pkl")))


def main() -> None:
    """Write them all."""
    with tempfile.TemporaryDirectory() as place:
        for name, seeds in contents(Path(place)).items():
            (CORPUS / name).mkdir(parents=True, exist_ok=True)
            for seed, content in seeds.items():
                (CORPUS / name / f"seed-{seed}").write_bytes(content)


if __name__ == "__main__":
    main()

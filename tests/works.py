"""Every work that keeps what it does in a folder, small enough to be repeated."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lightning_fabric import Fabric
from torch import Tensor, nn

from audited_subject import subject
from networks import images, smooth
from pellucid import audits, evaluate, models, reports, runs
from pellucid.attacks import PGD, LowestLoss
from pellucid.audits import AuditFolder, Profile
from pellucid.data import Data, TensorSplit
from pellucid.data import load as load_data
from pellucid.errors import PellucidError
from pellucid.evaluate.explanations import Deletion, Sparsity, judge
from pellucid.evaluate.neurons import Probing, examine, findings, write_findings
from pellucid.evaluate.retrain import Design, Random, Variance, retrain
from pellucid.explainers import Gradient, NormLime, SmoothGrad
from pellucid.explainers.lime import Grid, Lime, Slic
from pellucid.explainers.normlime import Rule
from pellucid.ledger import Job, Table
from pellucid.metrics.neurons import Identity, Reading
from pellucid.plain import dump
from pellucid.train import Adam, Constant, Recipe, Step
from pellucid.train.references import make

Watch = Callable[..., None]
DIGITS = load_data("digits")


class Stop(Exception):
    """What ends a work before its time."""


def plain(found: Any) -> Any:
    """What was found, to be compared bit for bit."""
    if isinstance(found, Tensor):
        return hashlib.sha256(found.contiguous().numpy().tobytes()).hexdigest(), found.shape, found.dtype
    if isinstance(found, Mapping):
        return {name: plain(value) for name, value in found.items()}
    if isinstance(found, Table):
        return plain(found.columns), found.about
    if isinstance(found, list | tuple):
        return [plain(value) for value in found]
    return repr(found) if isinstance(found, float) else found  # NaN is what it is


def split(count: int = 23) -> tuple[nn.Module, TensorSplit]:
    model, x = smooth().float(), images(count, 1, 6, 6).float()
    return model, TensorSplit(x, model(x).argmax(1), ("a", "b", "c", "d"))


def measured(out: Path, watch: Watch) -> Any:
    return evaluate.measure(*split(), PGD(eps=0.05, steps=2), folder=out / "m", job=Job(5, watch=watch))


def judged(out: Path, watch: Watch) -> Any:
    metrics = {"sparsity": Sparsity(), "deletion": Deletion(steps=4)}
    folders = {name: out / name for name in metrics}
    return judge(*split(), metrics, explainer=Gradient(), folders=folders, job=Job(5, watch=watch))


def important(out: Path, watch: Watch, explainer: NormLime = NormLime(Lime(Grid(3, 3), masks=20))) -> Any:  # noqa: B008
    model, some = split()
    folder = evaluate.explain_split(model, some, explainer, out, job=Job(5, watch=watch))
    found = folder.importance(Rule())
    written = evaluate.write_importance(folder, some, explainer)
    reports.write_class_maps(Path(written["path"]), written["missing"])
    return found.values, found.counts, folder.idle()


def worded(out: Path, watch: Watch) -> Any:
    return important(out, watch, NormLime(Lime(Slic(4), masks=20), words=3))


def examined(out: Path, watch: Watch) -> Any:
    model, some = models.build("mlp", shape=(1, 8, 8), classes=10, seed=1), DIGITS.test.take(15)
    probing = Probing(("fc1",), attack=PGD(eps=0.3, steps=2, goal=LowestLoss()), targets=2, traced=3)
    found = examine(model, some, probing, out, job=Job(4, watch=watch))
    content = write_findings(found, findings(found, Identity(), Reading()), Identity(), Reading(), top=1)
    reports.write_top_images(content, some)
    return found.activations, found.attacked, found.traces


def retrained(out: Path, watch: Watch) -> Any:
    model, some = split(40)
    recipe = Recipe(epochs=2, batch=16, optimizer=Adam(lr=0.02), schedule=Constant())

    def fresh(seed: int) -> nn.Module:
        return models.build("mlp", seed=seed, shape=(1, 6, 6), classes=4, hidden=(8,))

    data, rankings = Data("some", some, some), {"random": Random(), "variance": Variance()}
    design, job = Design(("roar",), (0.5,), seeds=2), Job(1, watch=watch)
    return retrain(model, fresh, data, rankings, recipe, out, design=design, job=job)


def mapped(out: Path, watch: Watch) -> Any:
    return make(*split(), SmoothGrad(samples=2), out, job=Job(4, watch=watch)).load()


def trained(out: Path, watch: Watch) -> Any:
    settings = runs.table("standard", {"model.name": "mlp"}, ["recipe.epochs=3", "data.first=60"])
    spec, data = runs.prepare(settings)
    folder = runs.RunFolder(out / spec.folder)
    for event in runs.execute(spec, data, folder, Fabric(accelerator="cpu", devices=1)):
        if not isinstance(event, Step):
            watch(event)
    epochs = [{**epoch.to_record(), "seconds": 0, "images_per_second": 0} for epoch in folder.epochs()]
    weights = models.load(str(folder.path)).state_dict()
    return dict(weights), folder.read_json("result.json"), epochs, folder.spec() == spec


def audited(out: Path, watch: Watch) -> Any:
    parts = {
        "decided": audits.Decided(),
        "attack": audits.Robust(n=8, nearest=4, linf=(0.05,), l2=(0.2,), steps=2, nearest_steps=2, repeated=2),
        "maps": audits.ClassMaps(NormLime(Lime(Grid(3, 3), masks=20)), n=8),
    }
    folder = AuditFolder(out / "audit")
    for event in audits.carry_out([subject()], Profile("some", parts), folder, watch=watch):
        watch(event)
    outcomes = folder.outcomes(0)
    reports.tables(folder)
    reports.write_page(folder)
    if failures := [*folder.damaged(), *(outcome.failure for outcome in outcomes.values() if not outcome.finding)]:
        raise PellucidError(failures[0])
    return {name: outcome.finding and dump(outcome.finding) for name, outcome in outcomes.items()}


QUICK = [measured, judged, important, worded, examined, retrained, mapped]
SLOW = [trained, audited]

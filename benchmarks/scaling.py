"""How time and memory of a measurement grow with the number of images: linearly, and not at all.

Each size is measured in a process of its own, since a process never gives back the most memory that it had.
"""

import json
import subprocess
import sys
from dataclasses import asdict

from benchmarks.timing import Ratio, record

SIZES = (250, 500, 1000, 2000)
CODE = """
import json, resource, sys, time, torch
from pellucid.ledger import Job
from pellucid import data, evaluate, models
from pellucid.attacks import PGD
torch.manual_seed(0)
count = int(sys.argv[1])
split = data.TensorSplit(torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8),
                         torch.zeros(count, dtype=torch.long), tuple("0123456789"))
model = models.build("simple-cnn", shape=(1, 28, 28))
(batch,) = split.batches([torch.arange(count)])
with torch.no_grad():
    split = data.TensorSplit(split.pixels, model.eval()(batch.x).argmax(1), split.classes)
del batch
evaluate.measure(model, split.take(128), PGD(eps=1e-3, steps=2))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started = time.perf_counter()
record = evaluate.measure(model, split, PGD(eps=1e-3, steps=10), job=Job(64))
print(json.dumps({"seconds": time.perf_counter() - started,
                  "growth": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
                  "stood": record.robust_accuracy(1e-3).value}))
"""


def run(rounds: int) -> None:
    """Seconds per image and growth of memory at four sizes."""
    rows = {}
    for size in SIZES:
        runs = [_once(size) for _ in range(rounds)]
        times = sorted(1000 * run["seconds"] / size for run in runs)
        each = Ratio(times[len(times) // 2], times[0], times[-1])
        rows[size] = {"milliseconds per image": asdict(each), "megabytes": max(run["growth"] for run in runs)}
        print(
            f"scaling, {size} images: {each.median:.2f} ms per image, {rows[size]['megabytes']:.0f} MB more at most"
        )
    record("scaling", {"rounds": rounds, "attack": "PGD, 10 steps, batches of 64", "sizes": rows})


def _once(size: int) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", CODE, str(size)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)

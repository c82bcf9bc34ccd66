"""Whether a robustness figure can be believed: cheap checks of network, images and attack."""

from collections.abc import Sequence

import torch
from torch import nn

from pellucid.attacks import PGD, Attack
from pellucid.batch import Batch, check_labels
from pellucid.errors import MeasurementError, NetworkError, PellucidError
from pellucid.evaluate.robustness.checks import CHECKS, Case, Check, Verdict
from pellucid.kinds import ready
from pellucid.memory import out_of_memory
from pellucid.randomness import derive, seeded

_IMAGES = 64
_MANY = 512  # that accuracy is told from


def verdicts(
    model: nn.Module,
    batch: Batch,
    *,
    classes: Sequence[str],
    attack: Attack = PGD(),
    seed: int = 0,
    checks: Sequence[str] = (),
) -> tuple[Verdict, ...]:
    """What every listed check says of a network, given as it was measured, and of the attack it was measured with.

    Those that do not apply say nothing. With `checks` only those are carried out.

    At most 64 images are looked at, evenly spaced over the batch, in some 200 passes besides those of the attack; for
    accuracy alone 512. The network is left as it was.
    """
    if not len(batch):
        raise MeasurementError("this batch has no images; check a network on one or more")
    case = Case(ready(model), _some(batch, _IMAGES), _some(batch, _MANY), tuple(classes), attack, seed)
    with seeded(derive(seed, "verdicts"), batch.x.device):
        check_labels(case.many.y, case.logits.shape[1], "this batch")
        chosen = {name: CHECKS[name] for name in checks or CHECKS}
        found = (_carried_out(name, check, case) for name, check in chosen.items())
        return tuple(verdict for verdict in found if verdict)


def _carried_out(name: str, check: Check, case: Case) -> Verdict | None:
    try:
        return check(case)
    except (RuntimeError, ValueError, PellucidError) as error:
        if out_of_memory(error):
            raise
        # such as a network without gradients, which stops most searches; the check of gradients says so
        own = error.__cause__ if isinstance(error, NetworkError) else None
        reason = str(own or error).partition("\n")[0]
        return Verdict(name, False, f"could not be carried out: {reason}", {}, "see to the other failed checks first")


def _some(batch: Batch, most: int) -> Batch:
    count = min(most, len(batch))
    rows = torch.arange(count, device=batch.x.device) * len(batch) // count
    columns = {"index": batch.index.to(batch.x.device)[rows]}
    return Batch.trusted(batch.x[rows].detach(), batch.y[rows], columns)

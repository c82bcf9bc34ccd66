"""Modules left in training mode."""

from pellucid.evaluate.robustness.checks.case import Case
from pellucid.metrics.verdict import Verdict


def training_mode(case: Case) -> Verdict:
    """No module is in training mode, or none whose answers depend on it."""
    modules = list(case.model.modules())
    training = [module for module in modules if module.training]
    change = again = 0.0
    if training:
        change = float((case.answers_as_given(case.batch.x) - case.logits).abs().amax())
        # what differs from pass to pass anyway is no doing of the mode
        again = float((case.answers(case.batch.x) - case.logits).abs().amax())
    if not training:
        finding = "every module is in evaluation mode"
    elif change == 0:
        finding = f"{len(training)} of {len(modules)} modules are in training mode, which changes no answer"
    elif again > 0:
        finding = (
            f"{len(training)} of {len(modules)} modules are in training mode; answers change by up to {again:.3g} "
            "from pass to pass in evaluation mode too, so whether the mode changes them cannot be told"
        )
    else:
        kinds = sorted({type(module).__name__ for module in training})
        which = f" ({', '.join(kinds)})" if len(training) < len(modules) else ""
        finding = (
            f"{len(training)} of {len(modules)} modules are in training mode{which}, "
            f"which changes logits by up to {change:.3g}"
        )
    return Verdict(
        "training-mode",
        passed=change == 0,
        finding=finding,
        evidence={"modules": len(modules), "training": len(training), "change": change, "again": again},
        remedy="call model.eval() before measuring; Pellucid measures in evaluation mode, other tools as it is given",
    )

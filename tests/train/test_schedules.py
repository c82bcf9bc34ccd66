import pytest
import torch

from pellucid.errors import ConfigError
from pellucid.train import OPTIMIZERS, SCHEDULES, SGD, Constant, CosineSchedule, OneCycle, StepSchedule

TIMES = [step / 200 for step in range(200)]


@pytest.mark.parametrize("name", list(SCHEDULES))
def test_a_schedule_stays_within_the_full_rate(name: str) -> None:
    rates = [SCHEDULES[name]().at(time) for time in TIMES]
    assert all(0 <= rate <= 1 for rate in rates)
    assert max(rates) == pytest.approx(1)


def test_cosine_is_pytorch_s() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    oracle = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 200)
    for time in TIMES:
        assert CosineSchedule().at(time) == pytest.approx(oracle.get_last_lr()[0], abs=1e-9)
        optimizer.step()
        oracle.step()


def test_step_falls_by_the_factor_at_each_milestone() -> None:
    schedule = StepSchedule(milestones=(0.5, 0.75), factor=0.1)
    assert [schedule.at(time) for time in (0, 0.49, 0.5, 0.75)] == pytest.approx([1, 1, 0.1, 0.01])


def test_warm_up_is_a_straight_rise_that_meets_the_schedule() -> None:
    for schedule in (Constant(warmup=0.2), CosineSchedule(warmup=0.2), StepSchedule(warmup=0.2)):
        assert [schedule.at(time) for time in (0, 0.1, 0.2)] == pytest.approx([0, 0.5, 1])
    assert CosineSchedule(warmup=0.2, final=0.1).at(1) == pytest.approx(0.1)


def test_one_cycle_rises_and_falls() -> None:
    schedule = OneCycle(rise=0.3, first=0.04, final=1e-4)
    assert [schedule.at(time) for time in (0, 0.15, 0.3, 1)] == pytest.approx([0.04, 0.52, 1, 1e-4])


def test_impossible_times_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"warmup is 1; it is a part of training, in \[0, 1\)"):
        CosineSchedule(warmup=1)
    with pytest.raises(ConfigError, match=r"a milestone is 3; it is a part of training, in \[0, 1\)"):
        StepSchedule(milestones=(3,))


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_an_optimizer_lowers_a_bowl(name: str) -> None:
    point = torch.nn.Parameter(torch.ones(3))
    optimizer = OPTIMIZERS[name]().build([point])
    for _ in range(20):
        optimizer.zero_grad()
        point.square().sum().backward()
        optimizer.step()
    assert float(point.detach().norm()) < 3**0.5
    assert optimizer.param_groups[0]["lr"] == OPTIMIZERS[name]().lr


def test_nesterov_needs_momentum() -> None:
    assert SGD(momentum=0.0).build([torch.nn.Parameter(torch.ones(1))]).param_groups[0]["nesterov"] is False

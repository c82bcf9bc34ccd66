"""What holds for every test: the same examples and one thread, on any processor and under any load."""

import torch
from hypothesis import HealthCheck, settings

# No deadline and no limit on how long examples take to draw, since both time the machine and not the code. The same
# examples everywhere, so that a test that fails fails because of a change and can be run again on another machine;
# --hypothesis-profile=search draws others, which is how to look for what these have missed.
settings.register_profile(
    "everywhere",
    deadline=None,
    derandomize=True,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("search", settings.get_profile("everywhere"), derandomize=False)
settings.load_profile("everywhere")

# Tensors are tiny here, and threads that wait for each other are slower than one. Set for all, since what one file
# sets holds for whichever file runs after it.
torch.set_num_threads(1)

"""Train, attack, audit and explain image classifiers, with figures that can be defended.

What `pellucid` offers is listed in `__init__.pyi`, and each name is imported when it is first used: importing the
package is quick and imports no torch.

    import pellucid as pl

    network = pl.load("runs/mine")
    images = pl.data.load("digits").test
    record = pl.measure(network, images, pl.FMN(), seed=0)
"""

import sys

# `python -m pellucid` looks in the current folder first, where files of others may be called like what is imported
if sys.argv[:1] == ["-m"] and "mpellucid" in "".join(sys.orig_argv) and not sys.flags.safe_path:
    del sys.path[0]

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

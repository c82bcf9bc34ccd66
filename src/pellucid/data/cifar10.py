"""CIFAR-10, from a folder or straight from an archive."""

from pellucid.data.cifar import SITE, load_form
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote

_REMOTE = Remote(f"{SITE}/cifar-10-python.tar.gz", "md5:c58f30108f718f92721af3b95e74349a")


def load_cifar10(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in ten classes."""
    return load_form(request, "cifar10", 10, _REMOTE)

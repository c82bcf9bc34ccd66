"""CIFAR-100, from a folder or straight from an archive."""

from pellucid.data.cifar import SITE, load_form
from pellucid.data.datasets import Data, Request
from pellucid.data.download import Remote

_REMOTE = Remote(f"{SITE}/cifar-100-python.tar.gz", "md5:eb9058c3a382ffc7106e4002c42a8d85")


def load_cifar100(request: Request) -> Data:
    """60,000 photographs of 32x32 pixels in a hundred classes."""
    return load_form(request, "cifar100", 100, _REMOTE)

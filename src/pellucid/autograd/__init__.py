"""What PyTorch's autograd lacks: fast second derivatives, a say in memory layout, sums over processes."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

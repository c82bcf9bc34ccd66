"""The question which network, which images, on what; its answer, and each long work done for it."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

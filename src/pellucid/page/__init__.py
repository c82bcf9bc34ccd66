"""What sections of a page are made of: numbers and words, tables, charts and pictures. Nothing here imports torch."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

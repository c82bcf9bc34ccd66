"""Measuring the neurons of a network: what activates them, what attacks change, what predictions rest on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

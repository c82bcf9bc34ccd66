"""A small network with its images."""

from networks import images, smooth
from pellucid.data import TensorSplit
from pellucid.subjects import Subject

CLASSES = ("ant", "bee", "cat", "dog")


def subject(count: int = 12, name: str = "mine", *, labeled: bool = True) -> Subject:
    model = smooth().float()
    x = images(count, 1, 6, 6).float()
    y = model(x).argmax(1)
    y[0] = (y[0] + 1) % 4
    return Subject(name, model, "made up", TensorSplit(x, y, CLASSES), labeled=labeled)

"""What an audit's files must say, for its page to be drawn and its gates to be decided from them."""

from collections.abc import Mapping
from typing import Any

from pellucid import shape
from pellucid.shape import ENDLESS, PLAIN, Each, Row, Shape

_ESTIMATE = {"value": ENDLESS, "low": ENDLESS, "high": ENDLESS, "n": int}
_SHARE = {"value": float, "low": float, "high": float, "n": int}
_ENDS = {"higher", "lower", "neither"}
_EVIDENCE = (ENDLESS, bool, str, None)
_TEXT = (str, None)
_NUMBER = (float, None)
_MAPS = (Each({"picture": str, "scale?": _NUMBER, "signed?": bool, "about?": [str], "legend?": _TEXT}), None)

_ABOUT = {
    "models": [{"name": str, "fingerprint?": str}],
    "data": {
        "source?": str,
        "fingerprint?": str,
        "images?": int,
        "classes?": [str],
        "shape?": [int],
        "labeled?": bool,
    },
    "parts": Each(PLAIN),
    "untrained?": [int],
    "profile?": str,
    "seed?": int,
    "environment?": (Each(PLAIN), None),
    "command?": _TEXT,
}

_OUTCOME = {
    "finding": (
        {
            "figures": [
                {
                    "name": str,
                    "arguments": [str],
                    "estimate": (_ESTIMATE, None),
                    "better": _ENDS,
                    "note": str,
                },
            ],
            "verdicts": [
                {
                    "check": str,
                    "passed": bool,
                    "finding": str,
                    "evidence": Each(_EVIDENCE),
                    "remedy": str,
                }
            ],
            "details": Each(PLAIN),
        },
        None,
    ),
    "failure": str,
    "seconds": float,
}

_DETAILS: Mapping[str, Shape] = {
    "decided": {
        "classes?": [{"class": str, "accuracy": (_SHARE, None), "note?": str}],
        "mistakes?": [{"class": str, "taken for": str, "images": int}],
        "confusion?": ([[int]], None),
        "reliability?": [{"confidence": float, **_SHARE}],
    },
    "robust": {"curves?": (Each([Row(float, float)]), None)},
    "explained": {
        "metrics?": Each({"low?": _NUMBER, "high?": _NUMBER, "cost?": (str, float)}),
        "known?": (Each([str]), None),
    },
    "neurons": {
        "layers?": (
            Each(
                {
                    "neurons": int,
                    "table": [
                        {
                            "neuron": int,
                            "level?": _NUMBER,
                            "share?": _NUMBER,
                            "class?": _TEXT,
                            "picture?": _TEXT,
                        }
                    ],
                }
            ),
            None,
        )
    },
    "gallery": {
        "images?": [
            {
                "index": int,
                "label?": _TEXT,
                "predicted": str,
                "confidence?": _NUMBER,
                "right?": (bool, None),
                "picture": str,
                "why?": _TEXT,
                "maps?": _MAPS,
                "toward?": (
                    Each([{"rho": float, "picture": str, "probability?": _NUMBER, "reached?": bool}]),
                    None,
                ),
                "attacked?": (
                    {
                        "picture": str,
                        "predicted": str,
                        "confidence?": _NUMBER,
                        "distance?": _NUMBER,
                        "maps?": _MAPS,
                    },
                    None,
                ),
            }
        ],
        "missing?": (Each(str), None),
    },
    "class-maps": {
        "classes?": (Each(str), None),
        "missing?": (Each(str), None),
        "scale?": _NUMBER,
        "images?": int,
        "adjusted_r2?": _NUMBER,
        "notes?": ([str], None),
        "explainer?": (str, {"kind": str}, None),
    },
}


_NAME = 200  # letters of what becomes a name of a file


def check_about(about: Mapping[str, Any]) -> None:
    """Raise a ValueError that says what is wrong with what an audit says it is of."""
    shape.check(about, _ABOUT)
    if not about["models"]:
        raise ValueError("models is empty")
    for number, model in enumerate(about["models"]):
        if len(model["name"].rstrip("/").rpartition("/")[2]) > _NAME:
            raise ValueError(f"models[{number}].name is longer than names are")
    for part, settings in about["parts"].items():
        if part in ("", ".", "..") or "/" in part or "\0" in part or len(part) > _NAME:
            raise ValueError("parts has one whose name is no name of a folder")
        if not isinstance(settings, dict):
            raise ValueError(f"parts.{part} is no table")
    if any(not 0 <= number < len(about["models"]) for number in about.get("untrained", ())):
        raise ValueError("untrained numbers a network that is not there")


def check_outcome(outcome: Mapping[str, Any], kind: object) -> None:
    """The same of what became of a part; `kind` is that of the part, where it has one that is known."""
    shape.check(outcome, _OUTCOME)
    if outcome["finding"] is None:
        return
    details = outcome["finding"]["details"]
    shape.check(details, _DETAILS.get(str(kind), {}), "details")
    if kind == "decided":
        _check_confusion(len(details.get("classes", ())), details.get("confusion"))


def _check_confusion(classes: int, confusion: list[list[int]] | None) -> None:
    if confusion and (len(confusion) != classes or any(len(row) != classes for row in confusion)):
        raise ValueError(f"details.confusion has other rows and columns than the {classes} classes")
    if any(images < 0 for row in confusion or () for images in row):
        raise ValueError("details.confusion counts less than no image")

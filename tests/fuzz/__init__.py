"""Inputs that nobody meant, for every reader and for every text that a person types."""

import sys
from pathlib import Path

# as pytest finds them: what tests share, and the package itself
sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

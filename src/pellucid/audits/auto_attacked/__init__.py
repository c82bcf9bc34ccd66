"""Robust accuracy by AutoAttack: the part, and what it has to say at the top of the page."""

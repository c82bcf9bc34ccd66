"""Whether figures of robustness can be believed: the part, and what it has to say at the top of the page."""

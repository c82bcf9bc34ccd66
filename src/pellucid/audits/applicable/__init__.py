"""Which explainers apply to a network: a part, what it finds, and its section of the page."""

"""Whether explanations can be believed: the part, what it finds, and its section of the page."""

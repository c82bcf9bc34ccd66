"""Pictures of what the network sees: the part, what it finds, and its section of the page."""

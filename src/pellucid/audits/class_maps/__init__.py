"""What matters for each class: the part, what it finds, and its section of the page."""

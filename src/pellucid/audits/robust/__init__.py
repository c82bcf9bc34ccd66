"""How much of the accuracy is left under attack: the part, what it finds, and its section of the page."""

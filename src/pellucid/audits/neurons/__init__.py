"""What single neurons stand for: the part, what it finds, and its section of the page."""

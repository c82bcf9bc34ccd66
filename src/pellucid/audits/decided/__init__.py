"""What the network decides on the images as they are: the part, what it finds, and its section of the page."""

"""What attacks come to image by image, and cheap checks of whether to believe it."""

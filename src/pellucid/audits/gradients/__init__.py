"""Whether the gradient is worth looking at: a part whose figures are all that the page has of it."""

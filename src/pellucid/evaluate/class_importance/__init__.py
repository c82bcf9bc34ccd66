"""Which features matter to a network for each class, from explanations of many images."""

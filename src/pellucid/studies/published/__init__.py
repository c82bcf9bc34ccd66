"""Studies of what papers claim, a file for each."""

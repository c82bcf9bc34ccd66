"""The methods by the papers that they come from, each an objective with settings that suit it."""

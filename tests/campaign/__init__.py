"""The reliability campaign: faults, kills, damage and hostile inputs, counted. `python -m tests.campaign` runs it."""

"""The columns of studies that have names."""

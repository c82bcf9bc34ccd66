"""Side-by-side timings: `make bench`."""

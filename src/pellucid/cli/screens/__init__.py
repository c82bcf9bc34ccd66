"""What a person sees: progress on standard error, and on standard output tables, which can be piped."""

"""Code locations: definitions with a Python environment of their own, in another process."""

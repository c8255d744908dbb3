"""The magics, by what they are about."""

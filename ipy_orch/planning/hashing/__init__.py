"""Digests of values."""

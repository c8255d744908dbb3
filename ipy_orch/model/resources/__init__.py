"""Connections to the world outside, and how people write them."""

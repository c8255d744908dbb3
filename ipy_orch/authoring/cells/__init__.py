"""Cells read as functions, and the options of their first lines."""

"""Automation conditions: when an asset, a check or a job is to be run, as immutable values."""

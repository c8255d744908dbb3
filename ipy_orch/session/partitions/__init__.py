"""Partitions in a session: chosen, backfilled, told of, read."""

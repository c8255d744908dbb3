"""Ops and graphs, wired."""

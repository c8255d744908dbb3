"""Automation conditions evaluated: of which assets, checks and jobs they are true at a moment, and why."""

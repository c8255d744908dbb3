"""What happened, in Dagster's shape."""

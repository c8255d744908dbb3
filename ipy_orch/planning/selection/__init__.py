"""Which assets and ops are meant."""

"""What is configured in a session: resources, environments, run config."""

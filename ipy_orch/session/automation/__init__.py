"""What runs by itself in a session, and why."""

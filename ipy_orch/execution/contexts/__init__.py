"""What functions, IO managers and hooks are told."""

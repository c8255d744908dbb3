"""What is said about a value, a run or a definition."""

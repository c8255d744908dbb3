"""The proof that an export says what the notebook says."""

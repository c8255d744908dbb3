"""What a notebook defines, told from its text: nothing of it is run."""

"""Code, followed by its syntax trees to the parts of a recipe."""

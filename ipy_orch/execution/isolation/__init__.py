"""One reader's in-place edit never reaches another."""

"""The way back: a definitions module, ours or Dagster's, becomes a notebook, or brings its edits into one."""

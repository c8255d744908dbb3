"""Where steps run: threads, processes, clusters."""

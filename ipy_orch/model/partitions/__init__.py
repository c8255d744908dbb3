"""The keys into which assets and jobs are cut."""

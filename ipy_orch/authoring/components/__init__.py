"""Components: attributes in YAML or Python become definitions. `Component` is the concept, the rest carries it."""

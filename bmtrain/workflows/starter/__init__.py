"""A starter config from its recipe, or from a look at the data, to its file: what init writes."""

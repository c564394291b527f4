"""Is this machine fit to train, part by part."""

"""Keras's layers with seeded initial weights, a file per family."""

"""Closed tables from config names to Keras objects, and the objective."""

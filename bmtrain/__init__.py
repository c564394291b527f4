"""One YAML file in, a trained, evaluated and checkpointed Keras model out."""

__version__ = "0.1.0"

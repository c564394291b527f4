"""YAML text to ExperimentConfig, or diagnostics. No TensorFlow."""

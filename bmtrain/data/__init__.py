"""Sources to examples: formats, splits, order, statistics, fingerprint. No TensorFlow."""

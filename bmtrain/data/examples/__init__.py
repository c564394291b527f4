"""Examples that can be trusted: features, labels, targets, weights, their scaling and fingerprint."""

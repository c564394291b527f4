"""Fixed-record files: what `convert` writes, and the cache of decoded pictures."""

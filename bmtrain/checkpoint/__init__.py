"""The checkpoint: data, never code, whole in itself: the format, the store, the finder."""

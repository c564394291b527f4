"""What each layer makes of a shape, which variables it has and what it costs, a file per family. No TensorFlow."""

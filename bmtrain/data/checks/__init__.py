"""What can be said about a data set before anything is trained on it."""

"""What an unknown table looks like it holds: for `init`."""

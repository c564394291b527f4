"""What `check` looks at, section by section."""

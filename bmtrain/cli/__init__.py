"""The command line: commands, what they show, and how they end."""

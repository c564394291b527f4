"""What readers of files hand on, not yet checked: places, parts, columns, rows that stay in their file."""

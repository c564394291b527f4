"""What a command shows of what its workflow says: lines, tables, JSON documents."""

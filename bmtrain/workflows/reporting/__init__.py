"""What a report says of runs: read, judged and put in words."""

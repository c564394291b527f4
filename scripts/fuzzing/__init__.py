"""What ``scripts/fuzz`` is made of: inputs, readers, judging, and the engines that search."""

"""``bmtrain explain``, part by part."""

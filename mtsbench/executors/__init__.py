"""Ways to carry out independent trials."""

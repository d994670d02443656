"""Comparison of runs: first whether they may be compared, then what they scored."""

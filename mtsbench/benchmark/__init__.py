"""The standardized benchmark of `mtsbench benchmark`: one protocol, items alone in a process."""

"""Models of a table: where features come from, how they are prepared, how a model is kept."""

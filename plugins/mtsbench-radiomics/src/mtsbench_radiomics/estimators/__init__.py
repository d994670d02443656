"""Survival estimators on a table of complete numbers."""

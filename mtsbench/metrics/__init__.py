"""Metrics: concordance within a test fold, overlap per patient."""

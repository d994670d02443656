"""Cohorts for mtsbench: simulated or own NPC patients, and the HECKTOR folder layouts."""

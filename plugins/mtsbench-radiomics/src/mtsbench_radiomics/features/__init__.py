"""Radiomics features of a cohort: regions, settings, extraction, and the table they end in."""

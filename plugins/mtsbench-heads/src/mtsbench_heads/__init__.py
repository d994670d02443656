"""Survival heads with their losses, and segmentation losses, for mtsbench."""

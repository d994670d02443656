"""The one training engine for deep compositions; everything that imports torch in core."""

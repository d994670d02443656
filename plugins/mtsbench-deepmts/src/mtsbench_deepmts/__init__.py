"""DeepMTS and its parts, written from the published facts (no code of the original is used)."""

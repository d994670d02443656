"""Clinical, volume and radiomics survival models: opponents for deep models."""

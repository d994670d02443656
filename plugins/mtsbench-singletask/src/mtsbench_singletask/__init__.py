"""Single-task deep survival models, and backbones of timm-3d and MONAI, for mtsbench."""

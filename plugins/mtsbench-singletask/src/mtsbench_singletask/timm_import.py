"""timm-3d without torchvision's compiled operators.

timm-3d imports torchvision, whose only wheel on the index is built for CUDA. With a torch without
CUDA its operators cannot load, and `import torchvision` stops where it registers shapes for two of
them. Nothing here runs a detector, so the two are declared and never called; on a torch with CUDA
nothing is done.
"""

from __future__ import annotations

import warnings
from types import ModuleType

import torch

OPERATORS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
# A declaration lives as long as this object.
_declared: list[torch.library.Library] = []


def import_timm() -> ModuleType:
    """The package `timm_3d`.

    It decorates functions with the deprecated `torch.jit.script` while it is imported; that is
    nothing a user can change, and its warnings are not shown.
    """
    if torch.version.cuda is None and not _declared:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name, schema in OPERATORS.items():
            if not hasattr(torch.ops.torchvision, name):
                library.define(schema)
        _declared.append(library)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import timm_3d
    module: ModuleType = timm_3d
    return module

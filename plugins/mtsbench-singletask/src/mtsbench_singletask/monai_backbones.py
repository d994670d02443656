"""Networks of MONAI as backbones: `monai:NAME`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from monai.networks.nets.densenet import DenseNet121
from monai.networks.nets.dynunet import DynUNet
from monai.networks.nets.resnet import resnet18, resnet50
from monai.networks.nets.segresnet import SegResNet
from monai.networks.nets.senet import SEResNet50
from monai.networks.nets.swin_unetr import SwinUNETR
from monai.networks.nets.unetr import UNETR
from torch import Tensor, nn

from mtsbench.interfaces import Features

Size = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Tapped:
    """A network, and the modules of it whose outputs are the maps."""

    network: nn.Module
    taps: Sequence[nn.Module]


class MonaiBackbone(nn.Module):
    """Implements `mtsbench.interfaces.Backbone`; the network's own output is the tumour logit.

    Args:
        tapped: The network.
        channels: C_i of the maps.
        segments: Whether the output is a tumour logit (B, 1, D, H, W).
        multiple: What each axis must be a multiple of.
        smallest_side: Voxels that each axis must have at least.
    """

    def __init__(
        self,
        tapped: Tapped,
        channels: tuple[int, ...],
        segments: bool,
        multiple: int,
        smallest_side: int,
    ) -> None:
        super().__init__()
        self.network = tapped.network
        self.channels, self.segments = channels, segments
        self.multiple, self.smallest_side = multiple, smallest_side
        self._seen: list[Tensor] = []
        for tap in tapped.taps:
            tap.register_forward_hook(self._see)

    def forward(self, image: Tensor) -> Features:
        """Takes the image (B, C, D, H, W)."""
        self._seen = []
        output: Tensor = self.network(image)
        maps, self._seen = tuple(self._seen), []
        return Features(maps=maps, tumour_logit=output if self.segments else None)

    def _see(self, module: nn.Module, inputs: object, output: Tensor) -> None:
        self._seen.append(output)


def densenet121(channels: int) -> Tapped:
    """The feature part of DenseNet-121, without classifier."""
    features = DenseNet121(spatial_dims=3, in_channels=channels, out_channels=1).features
    named = dict(features.named_children())
    taps = [named[name] for name in ("transition1", "transition2", "transition3", "norm5")]
    return Tapped(network=features, taps=taps)


def resnet(make: Callable[..., nn.Module], channels: int) -> Tapped:
    """A residual network without classifier, shortcuts with convolutions."""
    network = make(
        pretrained=False,
        spatial_dims=3,
        n_input_channels=channels,
        feed_forward=False,
        shortcut_type="B",
    )
    return Tapped(
        network=network, taps=[getattr(network, f"layer{number}") for number in (1, 2, 3, 4)]
    )


def seresnet50(channels: int) -> Tapped:
    """A squeeze-and-excitation ResNet-50 without classifier."""
    whole = SEResNet50(spatial_dims=3, in_channels=channels, num_classes=1)
    layers = [getattr(whole, f"layer{number}") for number in (0, 1, 2, 3, 4)]
    return Tapped(network=nn.Sequential(*layers), taps=layers[1:])


def dynunet(channels: int) -> Tapped:
    """The network of nnU-Net with four halvings, half its usual width."""
    network = DynUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=1,
        kernel_size=[3] * 5,
        strides=[1, 2, 2, 2, 2],
        upsample_kernel_size=[2] * 4,
        filters=[16, 32, 64, 128, 256],
    )
    return Tapped(
        network=network, taps=[network.input_block, *network.downsamples, network.bottleneck]
    )


def segresnet(channels: int) -> Tapped:
    """SegResNet (Myronenko 2018) without its variational branch."""
    network = SegResNet(spatial_dims=3, init_filters=16, in_channels=channels, out_channels=1)
    return Tapped(network=network, taps=list(network.down_layers))


def swinunetr(channels: int) -> Tapped:
    """Swin UNETR; maps after its five encoders."""
    network = SwinUNETR(in_channels=channels, out_channels=1, feature_size=24)
    encoders = [getattr(network, f"encoder{number}") for number in (1, 2, 3, 4, 10)]
    return Tapped(network=network, taps=encoders)


def unetr(channels: int, size: Size) -> Tapped:
    """UNETR, whose position embedding belongs to one image size; maps after its encoders."""
    network = UNETR(in_channels=channels, out_channels=1, img_size=size)
    for block in network.vit.blocks:
        block.norm_cross_attn.requires_grad_(False)  # MONAI builds it and never calls it
    encoders = [getattr(network, f"encoder{number}") for number in (1, 2, 3, 4)]
    return Tapped(network=network, taps=encoders)


class Unetr(MonaiBackbone):
    """UNETR for images of one size (D, H, W), each axis a multiple of 16."""

    def __init__(self, channels: int, size: Size) -> None:
        super().__init__(unetr(channels, size), (16, 32, 64, 128), True, 16, 16)
        self.only_size = size


@dataclass(frozen=True, kw_only=True)
class Network:
    """How a network is built and what its backbone is like.

    Attributes:
        smallest_side: With less a layer has nothing to pool, or, where instances are normalised,
            a single voxel, which has no spread.
    """

    build: Callable[[int], Tapped]
    channels: tuple[int, ...]
    segments: bool
    multiple: int
    smallest_side: int


NETWORKS: Mapping[str, Network] = {
    "densenet121": Network(
        build=densenet121,
        channels=(128, 256, 512, 1024),
        segments=False,
        multiple=1,
        smallest_side=32,
    ),
    "resnet18": Network(
        build=lambda channels: resnet(resnet18, channels),
        channels=(64, 128, 256, 512),
        segments=False,
        multiple=1,
        smallest_side=1,
    ),
    "resnet50": Network(
        build=lambda channels: resnet(resnet50, channels),
        channels=(256, 512, 1024, 2048),
        segments=False,
        multiple=1,
        smallest_side=1,
    ),
    "seresnet50": Network(
        build=seresnet50,
        channels=(256, 512, 1024, 2048),
        segments=False,
        multiple=1,
        smallest_side=16,
    ),
    "dynunet": Network(
        build=dynunet,
        channels=(16, 32, 64, 128, 256),
        segments=True,
        multiple=16,
        smallest_side=32,
    ),
    "segresnet": Network(
        build=segresnet, channels=(16, 32, 64, 128), segments=True, multiple=8, smallest_side=8
    ),
    "swinunetr": Network(
        build=swinunetr,
        channels=(24, 24, 48, 96, 384),
        segments=True,
        multiple=32,
        smallest_side=64,
    ),
}


def build_network(name: str, channels: int) -> MonaiBackbone:
    """A network of `NETWORKS` with its taps."""
    network = NETWORKS[name]
    return MonaiBackbone(
        network.build(channels),
        network.channels,
        network.segments,
        network.multiple,
        network.smallest_side,
    )

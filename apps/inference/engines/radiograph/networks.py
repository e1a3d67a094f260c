"""The network architectures that a model package may name.

A package contains weights, never code: its card names an architecture in this list, so installing a
package cannot run code from outside this repository.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import MobileNetV3, mobilenet_v3_small
from torchvision.models.mobilenetv3 import InvertedResidual


class Residual(InvertedResidual):
    """The same block without in-place addition: explainers hook layers and need their unmodified outputs."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Apply the block to (n, channels, rows, columns)."""
        result: torch.Tensor = self.block(features)
        return result + features if self.use_res_connect else result


def mobilenet_v3_small_gray(outputs: int) -> nn.Module:
    """MobileNetV3-small (Howard et al., ICCV 2019) for one grey channel, without pretraining."""
    network: MobileNetV3 = mobilenet_v3_small(weights=None, num_classes=outputs)
    first = network.features[0][0]
    network.features[0][0] = nn.Conv2d(1, first.out_channels, 3, stride=2, padding=1, bias=False)
    for block in network.features:
        if isinstance(block, InvertedResidual):
            block.__class__ = Residual
    return network


class VolumeNet(nn.Module):
    """A small 3-D network for one grey channel; slices are thicker than pixels, so that axis is downsampled later.

    Each position has a logit for each class but the first; a class' logit is the maximum over positions, since the
    target is small.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        widths = (
            (1, 16, (1, 2, 2)),
            (16, 32, (2, 2, 2)),
            (32, 48, (1, 1, 1)),
            (48, 64, (2, 2, 2)),
            (64, 64, (1, 1, 1)),
        )
        self.features = nn.Sequential(*(_volume_block(*width) for width in widths))
        self.places = nn.Conv3d(widths[-1][1], outputs - 1, 1)

    def forward(self, volumes: torch.Tensor) -> torch.Tensor:
        """Volumes (n, 1, slices, rows, columns) to logits (n, outputs)."""
        return self.both(volumes)[0]

    def both(self, volumes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits, and the logits per position, (n, outputs - 1, slices, rows, columns)."""
        positions = self.places(self.features(volumes))
        strongest = positions.amax(dim=(2, 3, 4))
        return torch.cat([torch.zeros_like(strongest[:, :1]), strongest], dim=1), positions

    def pooled(self, volumes: torch.Tensor) -> torch.Tensor:
        """Embeddings (n, 2 × channels): maximum and mean of each feature map."""
        return _gathered(self.features(volumes))


def _gathered(features: torch.Tensor) -> torch.Tensor:
    return torch.cat([features.amax(dim=(2, 3, 4)), features.mean(dim=(2, 3, 4))], dim=1)


def _volume_block(inputs: int, outputs: int, stride: tuple[int, int, int]) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm3d(outputs), nn.ReLU()
    )


ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {
    "mobilenet_v3_small_gray": mobilenet_v3_small_gray,
    "volume_net": VolumeNet,
}


def build(architecture: str, *, outputs: int) -> nn.Module:
    """Build an untrained network.

    Raises:
        KeyError: if the architecture is not on the list.
    """
    try:
        return ARCHITECTURES[architecture](outputs)
    except KeyError:
        known = ", ".join(sorted(ARCHITECTURES))
        raise KeyError(f"unknown architecture {architecture!r}: known are {known}") from None


def fold_batch_norms(network: nn.Module) -> nn.Module:
    """Fold each batch normalisation into the convolution before it, in place; evaluation only.

    Outputs are unchanged to 1e-6 at nearly twice the speed. ``torch.compile`` would need a C++
    compiler on the user's machine.
    """
    for block in network.modules():
        if hasattr(block, "inplace"):
            # Explainers hook layers, which must not overwrite their inputs.
            block.inplace = False  # type: ignore[assignment]
        if not isinstance(block, nn.Sequential):
            continue
        for index in range(len(block) - 1):
            convolution, norm = block[index], block[index + 1]
            if (isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)) or (
                isinstance(convolution, nn.Conv3d) and isinstance(norm, nn.BatchNorm3d)
            ):
                block[index] = fuse_conv_bn_eval(convolution.eval(), norm.eval())
                block[index + 1] = nn.Identity()
    return network

"""The network architectures that a model package may name.

A package brings weights, never code: its card names an architecture of this list, so installing a
package cannot run anything that is not in this repository.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import MobileNetV3, mobilenet_v3_small
from torchvision.models.mobilenetv3 import InvertedResidual


class Residual(InvertedResidual):
    """The same block without adding in place: explainers hang hooks on layers and need what they gave out."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(n, channels, rows, columns)."""
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


ARCHITECTURES: dict[str, Callable[[int], nn.Module]] = {
    "mobilenet_v3_small_gray": mobilenet_v3_small_gray,
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

    The answers stay the same to 1e-6 and come nearly twice as fast. ``torch.compile`` would need a C++
    compiler on the user's machine.
    """
    for block in network.modules():
        if hasattr(block, "inplace"):
            # Explainers hang hooks on layers, which must not overwrite what they were given.
            block.inplace = False  # type: ignore[assignment]
        if not isinstance(block, nn.Sequential):
            continue
        for place in range(len(block) - 1):
            convolution, norm = block[place], block[place + 1]
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                block[place] = fuse_conv_bn_eval(convolution.eval(), norm.eval())
                block[place + 1] = nn.Identity()
    return network

"""Batched augmentation of radiographs on tensors."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def augment(planes: torch.Tensor, *, size: int, generator: torch.Generator) -> torch.Tensor:
    """Randomly vary position, scale, rotation, laterality, contrast, sharpness and occlusion.

    Args:
        planes: (n, rows, columns) grey levels 0..255.
        size: rows and columns of the result.

    Returns:
        (n, size, size) float32 grey levels, not normalised.
    """
    batch = planes.unsqueeze(1).to(torch.float32) / 255
    batch = _move(batch, size, generator)
    batch = _contrast(batch, generator)
    batch = _blur(batch, generator)
    return _erase(batch, generator).squeeze(1) * 255


def _uniform(shape: tuple[int, ...], low: float, high: float, generator: torch.Generator) -> torch.Tensor:
    return torch.rand(shape, generator=generator) * (high - low) + low


def _move(batch: torch.Tensor, size: int, generator: torch.Generator) -> torch.Tensor:
    """Zoom by 0.72 to 1.08, shift within the crop, rotate by up to 12 degrees, mirror with probability 0.5."""
    n = len(batch)
    zoom = _uniform((n, 1), 0.72, 1.08, generator) * _uniform((n, 2), 0.93, 1.07, generator)
    mirror = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0)
    angle = torch.deg2rad(_uniform((n,), -12, 12, generator))
    free = (1 - zoom).abs().clamp_min(0.05)
    shift = _uniform((n, 2), -1, 1, generator) * free
    theta = torch.zeros(n, 2, 3)
    theta[:, 0, 0], theta[:, 0, 1] = mirror * zoom[:, 0] * angle.cos(), -zoom[:, 1] * angle.sin()
    theta[:, 1, 0], theta[:, 1, 1] = mirror * zoom[:, 0] * angle.sin(), zoom[:, 1] * angle.cos()
    theta[:, :, 2] = shift
    grid = F.affine_grid(theta, [n, 1, size, size], align_corners=False)
    return F.grid_sample(batch, grid, padding_mode="border", align_corners=False)


def _contrast(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    n = len(batch)
    gamma = torch.exp(_uniform((n, 1, 1, 1), -0.35, 0.35, generator))
    noise = torch.randn(batch.shape, generator=generator) * _uniform((n, 1, 1, 1), 0, 0.04, generator)
    return (batch.clamp(1e-4, 1) ** gamma + noise).clamp(0, 1)


def _blur(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur with probability 0.25 by a Gaussian with a sigma of 0.5 to 1.3 pixels."""
    chosen = torch.rand(len(batch), generator=generator) < 0.25
    if not chosen.any():
        return batch
    sigma = float(_uniform((1,), 0.5, 1.3, generator))
    taps = torch.exp(-(torch.arange(-3, 4, dtype=torch.float32) ** 2) / (2 * sigma**2))
    taps /= taps.sum()
    soft = F.conv2d(F.pad(batch[chosen], (3, 3, 3, 3), mode="reflect"), taps.view(1, 1, 1, 7))
    batch = batch.clone()
    batch[chosen] = F.conv2d(soft, taps.view(1, 1, 7, 1))
    return batch


def _erase(batch: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Fill a rectangle with the image mean with probability 0.33, like a device, hand or marker."""
    size = batch.shape[-1]
    rows = torch.arange(size).view(1, 1, size, 1)
    columns = torch.arange(size).view(1, 1, 1, size)
    n = len(batch)
    extent = _uniform((n, 2, 1, 1), 0.08, 0.32, generator) * size
    corner = _uniform((n, 2, 1, 1), 0, 1, generator) * (size - extent)
    cover = (rows >= corner[:, :1]) & (rows < corner[:, :1] + extent[:, :1])
    cover = cover & (columns >= corner[:, 1:]) & (columns < corner[:, 1:] + extent[:, 1:])
    cover = cover & (torch.rand((n, 1, 1, 1), generator=generator) < 0.33)
    return torch.where(cover, batch.mean(dim=(2, 3), keepdim=True), batch)

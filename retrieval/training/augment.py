"""How may a picture be changed without changing what it shows? Whole batches at once, from one generator."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

# Of ImageNet, by which the field normalises (Krizhevsky et al. 2012 and everybody since).
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strong. All zero, with `smallest_crop` 1, leaves pictures as they are."""

    # The crop's share of the area, drawn from here to 1, its sides' ratio from 1/stretch to stretch.
    smallest_crop: float = 0.55
    stretch: float = 1.3
    flip: float = 0.5
    # How far brightness, contrast and saturation may go from 1.
    colour: float = 0.2
    grey: float = 0.05
    # The chance of a grey rectangle over up to a quarter of it (Zhong et al. 2017).
    erase: float = 0.1


NONE = Augmentation(smallest_crop=1.0, stretch=1.0, flip=0.0, colour=0.0, grey=0.0, erase=0.0)


def batch(
    pictures: Tensor,
    side_px: int,
    how: Augmentation,
    generator: torch.Generator,
    *,
    mirror: Tensor | None = None,
) -> Tensor:
    """uint8 (N, H, W, 3) to float32 (N, 3, side_px, side_px), normalised, in channels-last memory.

    `mirror` (N,): which may be flipped at all; writing may not. Default: all.
    """
    pixels = pictures.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    count = len(pixels)

    def draw(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    area = draw(how.smallest_crop, 1.0).sqrt()
    ratio = torch.exp(draw(-1.0, 1.0) * torch.tensor(how.stretch).log() / 2)
    width, height = (area * ratio).clamp(max=1.0), (area / ratio).clamp(max=1.0)
    flips = torch.rand(count, generator=generator) < how.flip
    if mirror is not None:
        flips &= mirror
    transform = torch.zeros(count, 2, 3)
    transform[:, 0, 0] = torch.where(flips, -width, width)
    transform[:, 1, 1] = height
    transform[:, 0, 2] = draw(-1.0, 1.0) * (1 - width)
    transform[:, 1, 2] = draw(-1.0, 1.0) * (1 - height)
    transform = transform.to(pixels.device)
    grid = functional.affine_grid(transform, [count, 3, side_px, side_px], align_corners=False)
    if pixels.shape[-1] >= 2.5 * side_px:
        # Bilinear sampling looks at four pixels: a crop shrunk by more than two would lose some.
        pixels = functional.avg_pool2d(pixels, 2)
    cut = functional.grid_sample(
        pixels, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )
    if how.colour > 0:
        cut = _recoloured(cut, how.colour, draw)
    if how.grey > 0:
        grey = (draw(0.0, 1.0) < how.grey).to(cut.device)
        cut = torch.where(grey[:, None, None, None], cut.mean(dim=1, keepdim=True), cut)
    mean = torch.tensor(MEAN, device=cut.device)[:, None, None]
    std = torch.tensor(STD, device=cut.device)[:, None, None]
    cut = (cut - mean) / std
    if how.erase > 0:
        cut = _erased(cut, how.erase, generator)
    return cut.contiguous(memory_format=torch.channels_last)


def plain(pictures: Tensor, side_px: int) -> Tensor:
    """As `batch`, unchanged but for the size: what serving does."""
    pixels = pictures.permute(0, 3, 1, 2).to(torch.float32).div_(255)
    if pixels.shape[-1] != side_px:
        pixels = functional.interpolate(
            pixels, (side_px, side_px), mode="bilinear", antialias=True, align_corners=False
        )
    mean = torch.tensor(MEAN, device=pixels.device)[:, None, None]
    std = torch.tensor(STD, device=pixels.device)[:, None, None]
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def _recoloured(pixels: Tensor, strength: float, draw: Callable[..., Tensor]) -> Tensor:
    brightness, contrast, saturation = (
        draw(1 - strength, 1 + strength, 1, 1, 1).to(pixels.device) for _ in range(3)
    )
    # Each channel by itself, a little: light has a colour.
    tint = draw(1 - strength / 3, 1 + strength / 3, 3, 1, 1).to(pixels.device)
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    grey = pixels.mean(dim=1, keepdim=True)
    pixels = grey + (pixels - grey) * saturation
    return ((mean + (pixels - mean) * contrast) * brightness * tint).clamp_(0, 1)


def _erased(pixels: Tensor, chance: float, generator: torch.Generator) -> Tensor:
    count, _, side, _ = pixels.shape
    size = (torch.rand(count, 2, generator=generator) * 0.35 + 0.15) * side
    corner = torch.rand(count, 2, generator=generator) * (side - size)
    line = torch.arange(side)
    rows = (line >= corner[:, :1]) & (line < corner[:, :1] + size[:, :1])
    columns = (line >= corner[:, 1:]) & (line < corner[:, 1:] + size[:, 1:])
    chosen = torch.rand(count, generator=generator) < chance
    hole = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None])[:, None].to(pixels.device)
    # Zero is the mean colour after normalising.
    return pixels.masked_fill(hole, 0.0)

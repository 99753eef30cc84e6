"""Which small networks turn pixels into a vector? A convolutional one, which trains fastest on CPUs, and a ViT.

Pictures go in as float32 (N, 3, S, S), normalised; rows (N, dimensions) come out, not yet of unit length.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class TowerShape:
    """Plain values, kept in checkpoints: enough to build the tower again."""

    family: Literal["resnet", "vit"] = "resnet"
    # Channels and blocks of each stage. Multiples of 32: what AVX-512 convolutions are fastest with.
    widths: tuple[int, ...] = (32, 64, 160, 384)
    depths: tuple[int, ...] = (1, 2, 3, 2)
    # Of the ViT alone.
    patch_px: int = 8
    side_px: int = 64
    heads: int = 6
    dimensions: int = 384
    dropout: float = 0.1
    # The share of residual branches that a training step leaves out, growing with depth (Huang et al. 2016).
    stochastic_depth: float = 0.05

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def tower(shape: TowerShape) -> nn.Module:
    """Weights at random, from torch's generator."""
    return _Vit(shape) if shape.family == "vit" else _ResNet(shape)


class _ResNet(nn.Module):
    """He et al. 2015 with basic blocks; a stem of stride two and no pooling after it, for pictures of 48 to 112 px.

    Shortcuts that shrink average first, so that no pixel is skipped (He et al. 2019, ResNet-D).
    """

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        stem = shape.widths[0]
        self.stem = nn.Sequential(_conv(3, stem, stride=2), nn.ReLU(inplace=True))
        blocks: list[nn.Module] = []
        channels, total, number = stem, sum(shape.depths), 0
        for stage, (width, depth) in enumerate(zip(shape.widths, shape.depths, strict=True)):
            for position in range(depth):
                stride = 2 if stage > 0 and position == 0 else 1
                drop = shape.stochastic_depth * number / max(1, total - 1)
                blocks.append(_Block(channels, width, stride, drop))
                channels, number = width, number + 1
        self.blocks = nn.Sequential(*blocks)
        self.dropout = nn.Dropout(shape.dropout)
        self.project = nn.Linear(channels, shape.dimensions)

    def forward(self, pixels: Tensor) -> Tensor:
        features = self.blocks(self.stem(pixels))
        rows: Tensor = self.project(self.dropout(features.mean(dim=(2, 3))))
        return rows


class _Block(nn.Module):
    def __init__(self, channels: int, width: int, stride: int, drop: float) -> None:
        super().__init__()
        self.first = _conv(channels, width, stride=stride)
        # A branch that begins at zero makes each block the identity at first (Goyal et al. 2017, section 5.1).
        self.second = _conv(width, width, scale=0.0)
        self.drop = drop
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != width:
            pool: nn.Module = nn.AvgPool2d(stride, ceil_mode=True) if stride > 1 else nn.Identity()
            self.shortcut = nn.Sequential(pool, _conv(channels, width, kernel=1))

    def forward(self, features: Tensor) -> Tensor:
        branch = self.second(functional.relu(self.first(features), inplace=True))
        if self.training and self.drop > 0:
            kept = torch.rand(len(branch), 1, 1, 1, device=branch.device) >= self.drop
            branch = branch * kept / (1 - self.drop)
        return functional.relu(branch + self.shortcut(features), inplace=True)


class _Vit(nn.Module):
    """Dosovitskiy et al. 2020, mean-pooled, with positions that are resampled for another size of picture."""

    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        width, self.side = shape.widths[-1], shape.side_px // shape.patch_px
        self.patches = nn.Conv2d(3, width, shape.patch_px, shape.patch_px)
        self.positions = nn.Parameter(torch.randn(1, width, self.side, self.side) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width, shape.heads, 4 * width, shape.dropout, "gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(
            layer, sum(shape.depths), nn.LayerNorm(width), enable_nested_tensor=False
        )
        self.project = nn.Linear(width, shape.dimensions)

    def forward(self, pixels: Tensor) -> Tensor:
        patches = self.patches(pixels)
        positions: Tensor = self.positions
        if patches.shape[2:] != positions.shape[2:]:
            positions = functional.interpolate(
                positions, patches.shape[2:], mode="bicubic", align_corners=False
            )
        tokens = (patches + positions).flatten(2).transpose(1, 2)
        rows: Tensor = self.project(self.layers(tokens).mean(dim=1))
        return rows


def _conv(channels: int, width: int, kernel: int = 3, stride: int = 1, scale: float = 1.0) -> nn.Sequential:
    norm = nn.BatchNorm2d(width)
    nn.init.constant_(norm.weight, scale)
    return nn.Sequential(nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=False), norm)

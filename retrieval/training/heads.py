"""How does a vector of one space become one of another? Small mappings from text space to picture space, or back.

Each takes float32 (N, D) unit rows and gives (N, D) rows, not yet of unit length.
"""

from typing import Literal

import torch
from torch import Tensor, nn

HeadName = Literal["linear", "bilinear", "mlp", "residual"]


def head(name: HeadName, dimensions: int, *, hidden: int = 512, dropout: float = 0.1) -> nn.Module:
    """`linear` is one matrix, `mlp` two with a GELU between, `residual` an `mlp` added to what went in."""
    match name:
        case "linear":
            return _orthogonal(nn.Linear(dimensions, dimensions))
        case "bilinear":
            return LowRankBilinear(dimensions, hidden)
        case "mlp":
            return nn.Sequential(
                nn.Linear(dimensions, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, dimensions)
            )
        case "residual":
            return Residual(dimensions, hidden, dropout)


class Residual(nn.Module):
    """t + W2 gelu(W1 t + b1) + b2. Begins as the identity: what the text space knows is there from the first step."""

    def __init__(self, dimensions: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.first = nn.Linear(dimensions, hidden)
        self.dropout = nn.Dropout(dropout)
        self.second = nn.Linear(hidden, dimensions)
        nn.init.zeros_(self.second.weight)
        nn.init.zeros_(self.second.bias)

    def forward(self, rows: Tensor) -> Tensor:
        moved: Tensor = self.second(self.dropout(nn.functional.gelu(self.first(rows))))
        return rows + moved


class LowRankBilinear(nn.Module):
    """The score of a pair is x' U V y: a bilinear form of low rank, which the mapping x -> V' U' x expresses."""

    def __init__(self, dimensions: int, rank: int) -> None:
        super().__init__()
        self.left = nn.Linear(dimensions, rank, bias=False)
        self.right = nn.Linear(rank, dimensions, bias=False)

    def forward(self, rows: Tensor) -> Tensor:
        mapped: Tensor = self.right(self.left(rows))
        return mapped


def _orthogonal(layer: nn.Linear) -> nn.Linear:
    with torch.no_grad():
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer

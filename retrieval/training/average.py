"""What is the mean of the weights that training went through? It is better than the last ones.

Polyak & Juditsky 1992; exponential, as Tarvainen & Valpola 2017 use it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Average:
    """Keeps an exponential moving average of a model's weights, and of the statistics of its normalisations."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._decay = decay
        self._updates = 0
        self._mean = {name: value.detach().clone() for name, value in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        self._updates += 1
        # Early on the mean of so few steps would be mostly the random beginning.
        decay = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for name, value in model.state_dict().items():
            mean = self._mean[name]
            if mean.is_floating_point():
                mean.lerp_(value, 1 - decay)
            else:
                mean.copy_(value)

    @contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """The model with its averaged weights; its own come back afterwards."""
        own = {name: value.detach().clone() for name, value in model.state_dict().items()}
        model.load_state_dict(self._mean)
        try:
            yield
        finally:
            model.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        return {"updates": self._updates, "mean": self._mean}

    def restore(self, state: Mapping[str, Any]) -> None:
        self._updates = state["updates"]
        mean: Mapping[str, Tensor] = state["mean"]
        for name, value in mean.items():
            self._mean[name].copy_(value)

"""Which of several processes is this, and what do the others say? One process alone needs none of it.

`torchrun` starts them and sets RANK, WORLD_SIZE and LOCAL_RANK.
"""

import os
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import nn


def join() -> None:
    """Called once, before training. Gloo between CPUs, NCCL between GPUs."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def on_first(work: Callable[[], object]) -> None:
    """What is written, one process writes; the others wait, so that they read what is whole."""
    if rank() == 0:
        work()
    if dist.is_initialized():
        dist.barrier()


def same_weights(model: nn.Module) -> None:
    """Those of the first process, everywhere."""
    if dist.is_initialized():
        for value in model.state_dict().values():
            dist.broadcast(value, 0)


def average_gradients(model: nn.Module) -> None:
    if not dist.is_initialized():
        return
    for weight in model.parameters():
        if weight.requires_grad:
            # Zero where this process' batch did not touch it: the others wait for every weight.
            gradient = weight.grad if weight.grad is not None else torch.zeros_like(weight)
            dist.all_reduce(gradient)
            weight.grad = gradient / dist.get_world_size()

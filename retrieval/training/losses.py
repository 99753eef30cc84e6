"""What is a good pair of spaces? The losses that pull what belongs together and part the rest.

All take float32 unit rows and give a scalar. `positives` (A, B) says which of A anchors and B candidates belong
together; several may, since equal sentences and labels are shared by many pictures.
"""

import torch
from torch import Tensor
from torch.nn import functional


def matching(
    anchors: Tensor, candidates: Tensor, positives: Tensor, scale: Tensor, soft: Tensor | None = None
) -> Tensor:
    """InfoNCE, one direction: cross-entropy against the positives in equal parts (Khosla et al. 2020, L_out).

    `soft` (A, B): rows that sum to one, mixed into the targets beforehand by `softened`; replaces `positives`.
    Rows without a positive count nothing.
    """
    targets = positives.float() / positives.sum(dim=1, keepdim=True).clamp(min=1) if soft is None else soft
    has = positives.any(dim=1)
    losses = -(targets * functional.log_softmax(scale * anchors @ candidates.T, dim=1)).sum(dim=1)
    return losses[has].mean() if bool(has.any()) else losses.sum() * 0


def softened(positives: Tensor, likeness: Tensor, share: float, temperature: float = 0.07) -> Tensor:
    """Targets (A, B) of which `share` follows `likeness` (A, B), cosines between the texts themselves.

    Of two sentences about dogs, the other one is less wrong than one about a car: label smoothing that knows it.
    """
    hard = positives.float() / positives.sum(dim=1, keepdim=True).clamp(min=1)
    return (1 - share) * hard + share * functional.softmax(likeness / temperature, dim=1)


def sigmoid_pairs(rows: Tensor, columns: Tensor, positives: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Each pair for itself, belongs or not (Zhai et al. 2023, SigLIP). Divided by the rows, as there."""
    signs = positives.float() * 2 - 1
    logits = scale * rows @ columns.T + bias
    return -functional.logsigmoid(signs * logits).sum() / len(rows)


def hardest_triplets(anchors: Tensor, candidates: Tensor, positives: Tensor, margin: float = 0.2) -> Tensor:
    """The nearest wrong candidate must be `margin` further than the furthest right one (Faghri et al. 2018, VSE++)."""
    cosines = anchors @ candidates.T
    right = cosines.masked_fill(~positives, torch.inf).amin(dim=1)
    wrong = cosines.masked_fill(positives, -torch.inf).amax(dim=1)
    usable = positives.any(dim=1) & ~positives.all(dim=1)
    losses = functional.relu(margin + wrong - right)
    return losses[usable].mean() if bool(usable.any()) else cosines.sum() * 0


def cosine_pairs(rows: Tensor, columns: Tensor, belong: Tensor, margin: float = 0.0) -> Tensor:
    """Pairs (N,) drawn together where `belong`, and apart down to a cosine of `margin` where not."""
    return functional.cosine_embedding_loss(rows, columns, belong.float() * 2 - 1, margin=margin)


def label_texts(
    pictures: Tensor, labels: Tensor, label_of: Tensor, scale: Tensor, smoothing: float = 0.1
) -> Tensor:
    """Each picture (N, D) classified among the texts of all labels (L, D); `label_of` (N,) is int64, -1 for none."""
    has = label_of >= 0
    if not bool(has.any()):
        return pictures.sum() * 0
    logits = scale * pictures[has] @ labels.T
    return functional.cross_entropy(logits, label_of[has], label_smoothing=smoothing)

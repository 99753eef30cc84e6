"""Are the losses, heads, towers and augmentations what their formulas say?"""

import math

import pytest
import torch
from torch import Tensor

from retrieval.training import augment, losses
from retrieval.training.average import Average
from retrieval.training.heads import HeadName, head
from retrieval.training.towers import TowerShape, tower

torch.set_num_threads(1)
# Two anchors and two candidates at right angles: cosines are 1 on the diagonal, 0 beside it.
EYE = torch.eye(2)
BOTH, ONE = torch.eye(2, dtype=torch.bool), torch.tensor(1.0)


def test_matching_is_the_cross_entropy_of_the_right_candidate() -> None:
    # Of logits (2, 0): log(1 + e^-2) = 0.126928.
    assert float(losses.matching(EYE, EYE, BOTH, torch.tensor(2.0))) == pytest.approx(0.126928, abs=1e-6)


def test_several_positives_count_in_equal_parts() -> None:
    # Anchor (1, 0) belongs to both: log(1 + e^-1) = 0.313262 and that plus 1; their mean is 0.813262.
    both = torch.tensor([[True, True]])
    assert float(losses.matching(EYE[:1], EYE, both, ONE)) == pytest.approx(0.813262, abs=1e-6)


def test_an_anchor_without_a_positive_counts_nothing() -> None:
    one = torch.tensor([[True, False], [False, False]])
    assert float(losses.matching(EYE, EYE, one, ONE)) == pytest.approx(0.313262, abs=1e-6)
    none = torch.zeros(2, 2, dtype=torch.bool)
    rows = EYE.clone().requires_grad_()
    loss = losses.matching(rows, EYE, none, ONE)
    loss.backward()
    assert float(loss.detach()) == 0
    assert rows.grad is not None
    assert float(rows.grad.abs().max()) == 0


def test_soft_targets_sum_to_one_and_shift_by_their_share() -> None:
    likeness = torch.tensor([[1.0, 1.0]])
    soft = losses.softened(torch.tensor([[True, False]]), likeness, 0.2)
    # Equal likeness splits the share evenly.
    torch.testing.assert_close(soft, torch.tensor([[0.9, 0.1]]))
    # 0.9 x 0.313262 + 0.1 x 1.313262.
    found = losses.matching(EYE[:1], EYE, torch.tensor([[True, False]]), ONE, soft)
    assert float(found) == pytest.approx(0.413262, abs=1e-6)


def test_sigmoid_pairs_are_judged_one_by_one() -> None:
    # Two pairs that belong, logit 3 - 1 = 2, and two that do not, logit -1:
    # (2 log(1 + e^-2) + 2 log(1 + e^-1)) / 2 rows = 0.126928 + 0.313262.
    found = losses.sigmoid_pairs(EYE, EYE, BOTH, torch.tensor(3.0), torch.tensor(-1.0))
    assert float(found) == pytest.approx(0.440190, abs=1e-6)


def test_triplets_look_at_the_nearest_wrong_and_the_furthest_right_candidate() -> None:
    anchor = torch.tensor([[1.0, 0.0]])
    # Cosines 1 and 0.6 are right, 0.8 and 0 wrong: 0.2 + 0.8 - 0.6 = 0.4.
    candidates = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.8, 0.6], [0.0, 1.0]])
    right = torch.tensor([[True, True, False, False]])
    assert float(losses.hardest_triplets(anchor, candidates, right)) == pytest.approx(0.4, abs=1e-6)
    assert float(losses.hardest_triplets(anchor, candidates, torch.ones(1, 4, dtype=torch.bool))) == 0
    assert float(losses.hardest_triplets(EYE, EYE, BOTH)) == 0


def test_cosine_pairs_draw_together_and_apart() -> None:
    rows, columns = torch.tensor([[1.0, 0.0]] * 2), torch.tensor([[0.6, 0.8]] * 2)
    # 1 - 0.6 for the one that belongs, 0.6 - 0.1 for the other.
    found = losses.cosine_pairs(rows, columns, torch.tensor([True, False]), margin=0.1)
    assert float(found) == pytest.approx(0.45, abs=1e-6)


def test_label_texts_are_told_apart_and_pictures_without_a_label_left_out() -> None:
    found = losses.label_texts(EYE, EYE, torch.tensor([0, -1]), torch.tensor(2.0), smoothing=0.0)
    assert float(found) == pytest.approx(0.126928, abs=1e-6)
    # Smoothing 0.2 over two labels puts 0.1 on the wrong one, which is 2 further.
    smooth = losses.label_texts(EYE, EYE, torch.tensor([0, -1]), torch.tensor(2.0), smoothing=0.2)
    assert float(smooth) == pytest.approx(0.126928 + 0.1 * 2, abs=1e-6)
    assert float(losses.label_texts(EYE, EYE, torch.tensor([-1, -1]), ONE)) == 0


@pytest.mark.parametrize("name", ["linear", "bilinear", "mlp", "residual"])
def test_heads_map_rows_to_rows_and_learn(name: HeadName) -> None:
    torch.manual_seed(0)
    mapping = head(name, 6, hidden=8)
    rows = torch.randn(5, 6)
    mapped = mapping(rows)
    assert mapped.shape == (5, 6)
    mapped.square().sum().backward()
    assert any(weight.grad is not None and bool(weight.grad.any()) for weight in mapping.parameters())


@pytest.mark.parametrize("name", ["linear", "residual"])
def test_heads_that_can_begin_as_the_identity(name: HeadName) -> None:
    rows = torch.randn(5, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(head(name, 6).eval()(rows), rows)


def test_a_bilinear_head_scores_pairs_by_its_form() -> None:
    torch.manual_seed(0)
    mapping = head("bilinear", 4, hidden=2)
    left, right = mapping.get_submodule("left"), mapping.get_submodule("right")
    assert isinstance(left.weight, Tensor)
    assert isinstance(right.weight, Tensor)
    x, y = torch.randn(1, 4), torch.randn(1, 4)
    score = (mapping(x) @ y.T).squeeze()
    torch.testing.assert_close(score, (x @ left.weight.T @ right.weight.T @ y.T).squeeze())


RESNET = TowerShape(widths=(8, 16), depths=(1, 2), dimensions=12)
VIT = TowerShape(family="vit", widths=(16,), depths=(2,), patch_px=8, side_px=32, heads=2, dimensions=12)


@pytest.mark.parametrize("side_px", [32, 48, 64])
@pytest.mark.parametrize("shape", [RESNET, VIT], ids=["resnet", "vit"])
def test_towers_give_rows_at_every_size(shape: TowerShape, side_px: int) -> None:
    torch.manual_seed(0)
    built = tower(shape).eval()
    with torch.no_grad():
        rows = built(torch.randn(3, 3, side_px, side_px))
    assert rows.shape == (3, 12)
    assert bool(torch.isfinite(rows).all())


def test_a_resnet_takes_odd_sizes() -> None:
    with torch.no_grad():
        assert tower(RESNET).eval()(torch.randn(2, 3, 51, 51)).shape == (2, 12)


def test_blocks_begin_as_their_shortcut_and_are_left_out_only_in_training() -> None:
    torch.manual_seed(0)
    built = tower(TowerShape(widths=(8,), depths=(3,), dimensions=4, dropout=0.0, stochastic_depth=0.9))
    pixels = torch.randn(4, 3, 16, 16)
    with torch.no_grad():
        for name, weight in built.named_parameters():
            if name.endswith("second.1.weight"):
                assert not bool(weight.any())
                weight.fill_(1.0)
        torch.testing.assert_close(built.eval()(pixels), built(pixels))
        built.train()
        assert not torch.equal(built(pixels), built(pixels))


def pictures(side: int = 16) -> Tensor:
    return torch.randint(
        0, 256, (6, side, side, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1)
    )


@pytest.mark.parametrize(("side", "side_px"), [(16, 16), (16, 12), (48, 16), (16, 24)])
def test_augmented_pictures_have_the_size_asked_for(side: int, side_px: int) -> None:
    found = augment.batch(pictures(side), side_px, augment.Augmentation(), torch.Generator().manual_seed(0))
    assert found.shape == (6, 3, side_px, side_px)
    assert found.dtype == torch.float32
    assert found.is_contiguous(memory_format=torch.channels_last)
    assert bool(torch.isfinite(found).all())


def test_no_augmentation_changes_nothing() -> None:
    found = augment.batch(pictures(), 16, augment.NONE, torch.Generator().manual_seed(0))
    torch.testing.assert_close(found, augment.plain(pictures(), 16), atol=1e-4, rtol=0)


def test_pictures_are_normalised_by_their_channels() -> None:
    white = torch.full((1, 4, 4, 3), 255, dtype=torch.uint8)
    expected = [(1 - mean) / std for mean, std in zip(augment.MEAN, augment.STD, strict=True)]
    assert augment.plain(white, 4)[0, :, 2, 2].tolist() == pytest.approx(expected, abs=1e-5)


def test_only_what_may_be_mirrored_is() -> None:
    how = augment.Augmentation(smallest_crop=1.0, stretch=1.0, flip=1.0, colour=0.0, grey=0.0, erase=0.0)
    mirror = torch.tensor([True, False] * 3)
    found = augment.batch(pictures(), 16, how, torch.Generator().manual_seed(0), mirror=mirror)
    plain = augment.plain(pictures(), 16)
    torch.testing.assert_close(found[1::2], plain[1::2], atol=1e-4, rtol=0)
    torch.testing.assert_close(found[::2], plain[::2].flip(3), atol=1e-4, rtol=0)


def test_an_erased_part_is_the_mean_colour_and_at_most_a_quarter() -> None:
    how = augment.Augmentation(smallest_crop=1.0, stretch=1.0, flip=0.0, colour=0.0, grey=0.0, erase=1.0)
    found = augment.batch(pictures(32), 32, how, torch.Generator().manual_seed(0))
    erased = (found == 0).all(dim=1).float().mean(dim=(1, 2))
    assert float(erased.min()) > 0
    assert float(erased.max()) <= 0.27


def test_the_same_generator_draws_the_same_pictures() -> None:
    first, second, other = (
        augment.batch(pictures(), 16, augment.Augmentation(), torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_the_average_of_weights_follows_its_formula_and_gives_the_model_back() -> None:
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(0.0)
    averaged = Average(model, decay=0.5)
    expected = 0.0
    for update, value in enumerate((1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0), start=1):
        model.weight.data.fill_(value)
        averaged.update(model)
        # Early on as few values as there were: 2/11, 3/12 … until that reaches the decay.
        decay = min(0.5, (1 + update) / (10 + update))
        expected = decay * expected + (1 - decay) * value
    with averaged.in_place_of(model):
        assert float(model.weight.detach()) == pytest.approx(expected)
    assert float(model.weight.detach()) == 256.0
    other = Average(model, decay=0.5)
    other.restore(averaged.state())
    with other.in_place_of(model):
        assert float(model.weight.detach()) == pytest.approx(expected)
    assert math.isfinite(expected)

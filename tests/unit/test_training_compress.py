"""Is a pruned encoder the same network with less in it, and does a student move towards its teacher?"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from retrieval.encoders.base import EncoderError, EncoderSpec, Vectors, unit_rows
from retrieval.training import augment
from retrieval.training.compress import prune, teacher_of
from retrieval.training.corpus import NO_TEXT, Corpus
from retrieval.training.held_out import figures, held_out, measure
from retrieval.training.image_text import ImageTextModel, ImageTextTask, Recipe, Stage, recipe_of
from retrieval.training.loop import LoopSettings, train
from retrieval.training.towers import Block, TowerShape

torch.set_num_threads(1)
RESNET = TowerShape(widths=(16, 32), depths=(1, 2), dimensions=8, dropout=0.0, stochastic_depth=0.0)
VIT = TowerShape(
    family="vit", widths=(16,), depths=(2,), patch_px=8, side_px=16, heads=2, dimensions=8, dropout=0.0
)
COLOURS = ((255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255))


def recipe(tower: TowerShape = RESNET) -> Recipe:
    return Recipe(
        batch=8, stages=(Stage(until=1.0, side_px=16, sentences=0.5, drawn=0.0),), tower=tower, other_texts=4,
        other_labels=2, queue=8, augmentation=augment.NONE,
    )  # fmt: skip


def corpus() -> Corpus:
    """24 plain pictures of six colours: half labelled, half with a sentence; one text and one vector a colour."""
    random = np.random.default_rng(0)
    colour_of = np.arange(24) % 6
    pictures = np.empty((24, 16, 16, 3), dtype=np.uint8)
    for picture, colour in zip(pictures, colour_of, strict=True):
        picture[:] = np.clip(np.array(COLOURS[colour]) + random.integers(-20, 20, 3), 0, 255)
    labelled = np.arange(24) < 12
    texts_of = np.full((24, 12), NO_TEXT, dtype=np.int32)
    texts_of[:, 0] = colour_of
    return Corpus(
        pictures=pictures,
        vectors=unit_rows(random.normal(size=(6, 8))),
        texts=[f"colour {number}" for number in range(6)],
        texts_of=texts_of,
        label_of=np.where(labelled, colour_of, NO_TEXT).astype(np.int32),
        labels=[f"colour {number}" for number in range(6)],
        source_of=np.where(labelled, 0, 1).astype(np.int32),
        sources=["classes", "photos"],
        captioned=~labelled,
        kinds=[""] * 24,
        manifest={},
    )


class Colours:
    """A teacher with another number of dimensions: the mean colour. Counts what it is shown."""

    def __init__(self) -> None:
        self.spec = EncoderSpec("colours", "1", 3, frozenset({"image"}), 1)
        self.shown = 0

    def encode_texts(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        raise EncoderError

    def encode_images(self, images: Sequence[Image.Image]) -> Vectors:
        self.shown += len(images)
        return unit_rows(
            np.stack([np.asarray(image, dtype=np.float32).mean(axis=(0, 1)) - 127 for image in images])
        )


def model_of(tower: TowerShape) -> ImageTextModel:
    """As if it were trained: no weight is at its beginning."""
    torch.manual_seed(0)
    model = ImageTextModel(recipe(tower)).eval()
    with torch.no_grad():
        for value in model.tower.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand_like(value) * 0.2 + 0.4 - 0.5 * (value.ndim > 1))
    return model


def pixels() -> torch.Tensor:
    return torch.randn(3, 3, 16, 16, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("tower", [RESNET, VIT], ids=["resnet", "vit"])
def test_channels_that_carry_nothing_are_the_first_to_go_and_change_nothing(tower: TowerShape) -> None:
    model = model_of(tower)
    with torch.no_grad():
        for module in model.tower.modules():
            if isinstance(module, Block):
                conv = module.second[0]
                conv.weight[:, torch.arange(conv.weight.shape[1]) % 2 == 0] = 0  # type: ignore[union-attr, index]
            elif isinstance(module, torch.nn.TransformerEncoderLayer):
                module.linear2.weight[:, torch.arange(64) % 2 == 0] = 0
        before = model.pictures(pixels())
        taken = prune(model, 0.5)
        after = model.pictures(pixels())
    assert taken > 0
    torch.testing.assert_close(after, before, atol=1e-5, rtol=0)


@pytest.mark.parametrize("tower", [RESNET, VIT], ids=["resnet", "vit"])
def test_pruning_takes_about_the_share_asked_for_and_leaves_rows(tower: TowerShape) -> None:
    model = model_of(tower)
    inside = sum(
        weight.numel()
        for name, weight in model.tower.named_parameters()
        if ("blocks" in name and "shortcut" not in name) or "linear" in name
    )
    taken = prune(model, 0.5)
    # Convolutions between two thinned sides would lose more; here each has one.
    assert taken == pytest.approx(inside / 2, rel=0.05)
    with torch.no_grad():
        assert model.pictures(pixels()).shape == (3, 8)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_a_share_that_is_none_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        prune(model_of(RESNET), share)


def test_a_pruned_model_learns_on(tmp_path: Path) -> None:
    data = corpus()
    model = model_of(RESNET)
    prune(model, 0.5)
    task = ImageTextTask(data, held_out(data), recipe(), 4, model=model)
    settings = LoopSettings(steps=4, warmup_steps=1, evaluate_every=4, curves=False, device="cpu")
    progress = train(task, settings, tmp_path, say=lambda _line: None)
    assert task.model is model
    assert 0 <= progress.best <= 1


def test_a_student_moves_towards_its_teacher_who_sees_each_picture_once(tmp_path: Path) -> None:
    data, colours = corpus(), Colours()
    torch.manual_seed(0)
    task = ImageTextTask(data, held_out(data), recipe(), 60, teacher=teacher_of(colours, data))
    metrics: list[float] = []
    settings = LoopSettings(
        steps=60, learning_rate=0.01, warmup_steps=5, evaluate_every=60, curves=False, device="cpu"
    )
    original = task.loss

    def watched(step: int, generator: torch.Generator) -> tuple[torch.Tensor, dict[str, float]]:
        loss, found = original(step, generator)
        metrics.append(found["teacher_loss"])
        return loss, found

    task.loss = watched  # type: ignore[method-assign]
    train(task, settings, tmp_path, say=lambda _line: None)
    assert np.mean(metrics[-5:]) < 0.3 * np.mean(metrics[:5])
    assert colours.shown <= 24


def test_a_model_learns_what_it_is_shown(tmp_path: Path) -> None:
    data = corpus()
    torch.manual_seed(0)
    task = ImageTextTask(data, held_out(data), recipe(), 60)
    settings = LoopSettings(
        steps=60,
        learning_rate=0.01,
        warmup_steps=5,
        evaluate_every=60,
        curves=False,
        average=0.9,
        device="cpu",
    )
    progress = train(task, settings, tmp_path, say=lambda _line: None)
    # Six colours, by chance one in six.
    assert progress.figures["label_accuracy"] > 0.8


def test_a_recipe_comes_back_from_its_json() -> None:
    assert recipe_of(recipe(VIT).plain()) == recipe(VIT)


def test_figures_are_those_of_the_ranks() -> None:
    data = corpus()
    held = held_out(data)
    # Twelve pictures with sentences, two of each colour, and twelve labelled ones.
    assert (held.sentences, len(held.label_of), len(held.queries)) == (12, 12, 12)
    rows = torch.eye(24)
    # Query 0 and 1 find their own pictures first; the others stand behind all twelve of theirs.
    queries = torch.zeros(12, 24)
    queries[0, int(held.query_of[0])] = queries[1, int(held.query_of[1])] = 1.0
    for number in range(2, 12):
        queries[number, :12] = 1.0
        queries[number, int(held.query_of[number])] = -1.0
    labels = torch.zeros(6, 24)
    # Every label stands at its first picture and away from all others of other labels.
    for number in range(6):
        labels[number, 12:] = (held.label_of == number).float()
    found = figures(rows, queries, labels, held)
    assert found["text_to_image@1"] == found["text_to_image@10"] == pytest.approx(2 / 12)
    # The other way round ten queries are closer to a picture than its own: all but for the first two.
    assert found["image_to_text@10"] == pytest.approx(2 / 12)
    assert found["label_accuracy"] == 1.0
    assert found["recall"] == pytest.approx((2 / 12 + 2 / 12 + 1) / 3)


def test_a_model_is_measured_by_its_own_rows() -> None:
    data = corpus()
    held = held_out(data)
    model = model_of(RESNET)
    with torch.no_grad():
        rows = model.pictures(augment.plain(held.pictures, 16))
        expected = figures(rows, model.words(held.queries), model.words(held.labels), held)
        assert measure(model, held, 16) == pytest.approx(expected)

"""Do the learned fusions serve what was trained, begin as the mean, learn what there is, and refuse foreign files?"""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from retrieval.encoders.base import CosineRange, Vectors, unit_rows
from retrieval.fusion import files, matching
from retrieval.fusion.base import FusionError
from retrieval.fusion.files import LearnedFusion, load_fusion, load_head, save_fusion, save_head
from retrieval.fusion.matching import MatchingHead, rerank
from retrieval.fusion.weighted import Weighted

torch = pytest.importorskip("torch")

from retrieval.fusion import train  # noqa: E402 - only where torch is
from retrieval.fusion.train import MODULES, Examples, train_fusion, train_head  # noqa: E402


@pytest.fixture(autouse=True)
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "FEWEST_STEPS", 150)
    monkeypatch.setattr(train, "BATCH", 128)


KINDS = sorted(files.KINDS)
D = 8
RANGE = CosineRange(low=0.1, high=0.9, matches_from=0.2)


def rows(count: int, seed: int, dimensions: int = D) -> Vectors:
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dimensions)))


def segments() -> tuple[Vectors, Vectors]:
    """Ten with both, then two without words, two without pixels, one without either."""
    words, pixels = rows(15, 1), rows(15, 2)
    words[10:12] = 0
    pixels[12:14] = 0
    words[14] = pixels[14] = 0
    return words, pixels


def random_fusion(kind: str, seed: int = 3) -> LearnedFusion:
    source = np.random.default_rng(seed)
    tensors = {
        name: np.abs(source.normal(size=shape)).astype(np.float32)
        if kind == "weighted"
        else source.normal(size=shape).astype(np.float32)
        for name, shape in files.KINDS[kind][1](D).items()
    }
    return LearnedFusion(kind, "space@1", D, tensors, RANGE)


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_serves_what_torch_trained(kind: str) -> None:
    torch.manual_seed(5)
    module = MODULES[kind](D)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += torch.randn_like(parameter)
    words, pixels = segments()
    with torch.no_grad():
        expected = module(torch.from_numpy(words), torch.from_numpy(pixels)).numpy()
    tensors = {name: tensor.detach().numpy() for name, tensor in module.tensors().items()}
    served = LearnedFusion(kind, "space@1", D, tensors, RANGE)(words, pixels)
    np.testing.assert_allclose(served, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_before_training_each_is_the_mean(kind: str) -> None:
    module = MODULES[kind](D)
    tensors = {name: tensor.detach().numpy() for name, tensor in module.tensors().items()}
    words, pixels = segments()
    untrained = LearnedFusion(kind, "space@1", D, tensors, RANGE)(words, pixels)
    np.testing.assert_allclose(untrained, Weighted()(words, pixels), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_of_unit_length_or_nothing(kind: str) -> None:
    fused = random_fusion(kind)(*segments())
    assert (fused.dtype, fused.shape) == (np.float32, (15, D))
    np.testing.assert_allclose(np.linalg.norm(fused[:14], axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(fused[14], np.zeros(D))


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_does_not_depend_on_the_others(kind: str) -> None:
    fusion = random_fusion(kind)
    words, pixels = segments()
    alone = np.concatenate([fusion(words[i : i + 1], pixels[i : i + 1]) for i in range(15)])
    np.testing.assert_allclose(alone, fusion(words, pixels), atol=1e-6)
    assert fusion(words[:0], pixels[:0]).shape == (0, D)


@pytest.mark.parametrize("kind", ["attention", "gated", "concat"])
def test_shapes_that_differ_are_refused(kind: str) -> None:
    with pytest.raises(ValueError, match="shape"):
        random_fusion(kind)(rows(3, 1), rows(2, 1))


def two_halves(count: int, seed: int) -> Examples:
    """Words tell the first half of what is asked and are loud noise in the second; pixels the other way round."""
    asked = rows(count, seed, 16)
    noise = 2 * rows(2 * count, seed + 1, 16)
    words, pixels = noise[:count].copy(), noise[count:].copy()
    words[:, :8], pixels[:, 8:] = asked[:, :8], asked[:, 8:]
    return Examples(unit_rows(words), unit_rows(pixels), asked, np.arange(count))


def mean_reciprocal_rank(examples: Examples, fused: Vectors) -> float:
    similarity = examples.questions @ fused.T
    own = similarity[np.arange(len(similarity)), examples.of]
    return float((1 / (similarity >= own[:, None]).sum(axis=1)).mean())


@pytest.mark.parametrize("kind", ["concat", "attention", "gated"])
def test_training_learns_which_dimensions_to_take_from_which(kind: str) -> None:
    fusion = train_fusion(kind, two_halves(256, 1), space="space@1")
    unseen = two_halves(300, 100)
    before = mean_reciprocal_rank(unseen, Weighted()(unseen.words, unseen.pixels))
    after = mean_reciprocal_rank(unseen, fusion(unseen.words, unseen.pixels))
    assert after > before + 0.05


def test_training_learns_that_pixels_are_noise() -> None:
    asked = rows(200, 1, 32)
    words = unit_rows(asked + 0.25 * np.random.default_rng(2).normal(size=asked.shape))
    examples = Examples(words, rows(200, 3, 32), asked, np.arange(200))
    of_words, of_pixels = train_fusion("weighted", examples, space="space@1").tensors["weights"]
    assert of_words > 0.6 > 0.4 > of_pixels


def test_the_same_seed_gives_the_same_weights() -> None:
    examples = two_halves(60, 1)
    one, other = (train_fusion("gated", examples, space="space@1", seed=4) for _ in range(2))
    assert one.revision == other.revision
    assert train_fusion("gated", examples, space="space@1", seed=5).revision != one.revision


def test_noise_leaves_the_mean_as_it_is() -> None:
    """Nothing can be learned from questions that have nothing to do with the segments: the mean is kept."""
    examples = Examples(rows(40, 1), rows(40, 2), rows(40, 3), np.arange(40))
    words, pixels = rows(200, 7), rows(200, 8)
    fused = train_fusion("concat", examples, space="space@1", seed=1)(words, pixels)
    np.testing.assert_allclose(fused, Weighted()(words, pixels), atol=1e-6)


def test_too_few_segments_are_refused() -> None:
    with pytest.raises(train.TrainingError, match="9 segments have a question; 10 are needed"):
        train_fusion("gated", two_halves(9, 1), space="space@1")


def test_vectors_that_are_no_numbers_stop_the_training() -> None:
    examples = two_halves(60, 1)
    examples.pixels[3] = math.nan
    with pytest.raises(train.TrainingError, match="no number"):
        train_fusion("gated", examples, space="space@1")


def matching_examples(count: int, seed: int) -> Examples:
    """What is asked is in the first half of the dimensions; the second half is large noise in both."""
    asked, words = rows(count, seed, 32), rows(count, seed + 1, 32)
    words[:, :16] = asked[:, :16]
    nothing = np.zeros_like(words)
    return Examples(unit_rows(words), nothing, asked, np.arange(count))


def test_the_matching_head_orders_better_than_the_cosine_and_serves_what_was_trained(tmp_path: Path) -> None:
    head = train_head(matching_examples(400, 1), Weighted())
    save_head(head, tmp_path / "head.safetensors", space="space@1")
    head = load_head(tmp_path / "head.safetensors", space="space@1")
    unseen = matching_examples(200, 50)
    similarity = unseen.questions @ unseen.words.T
    before, after = [], []
    for number, query in enumerate(unseen.questions):
        order = np.argsort(-similarity[number], kind="stable")
        again = rerank(head, query, unseen.words, order)
        # The first ones change places among themselves; the rest stays.
        assert set(again[: matching.FIRST]) == set(order[: matching.FIRST])
        np.testing.assert_array_equal(again[matching.FIRST :], order[matching.FIRST :])
        before.append(1 / (1 + int(np.flatnonzero(order == number)[0])))
        after.append(1 / (1 + int(np.flatnonzero(again == number)[0])))
    assert np.mean(after) > np.mean(before) + 0.03
    relevance = head.relevance(unseen.questions[0], unseen.words)
    assert relevance.min() >= 0
    assert relevance.max() <= 1


def test_an_untrained_head_keeps_the_order() -> None:
    module = train._Head(D)
    head = MatchingHead(D, {name: tensor.detach().numpy() for name, tensor in module.tensors().items()})
    found, (query,) = rows(20, 1), rows(1, 2)
    order = np.argsort(-(found @ query), kind="stable")
    np.testing.assert_array_equal(rerank(head, query, found, order), order)


def test_a_file_gives_back_what_was_saved(tmp_path: Path) -> None:
    for kind in KINDS:
        made = random_fusion(kind)
        save_fusion(made, tmp_path / "f.safetensors")
        read = load_fusion(tmp_path / "f.safetensors", space="space@1")
        assert (read.name, read.revision) == (kind, made.revision)
        np.testing.assert_array_equal(read(*segments()), made(*segments()))
    assert [path.name for path in tmp_path.iterdir()] == ["f.safetensors"]


def test_weights_of_another_space_are_refused(tmp_path: Path) -> None:
    save_fusion(random_fusion("gated"), tmp_path / "f.safetensors")
    with pytest.raises(FusionError, match=r"trained for vectors of space@1.*Train it anew"):
        load_fusion(tmp_path / "f.safetensors", space="space@2")


def test_damaged_and_foreign_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.safetensors"
    save_fusion(random_fusion("gated"), path)
    whole = path.read_bytes()
    for content in (b"", whole[:-4], b"{}"):
        path.write_bytes(content)
        with pytest.raises(FusionError, match=r"f\.safetensors"):
            load_fusion(path, space="space@1")
    with pytest.raises(FusionError, match="cannot be read"):
        load_fusion(tmp_path / "none.safetensors", space="space@1")
    path.write_bytes(whole)
    tensors = load_file(path)
    # Of no kind; of a kind, but with other numbers than the revision says.
    save_file(tensors, path)
    with pytest.raises(FusionError, match="holds none of"):
        load_fusion(path, space="space@1")
    metadata = {
        "format": "1",
        "kind": "gated",
        "space": "space@1",
        "revision": "0" * 12,
        "dimensions": str(D),
    }
    for edited in (metadata, metadata | {"dimensions": "9"}, metadata | {"dimensions": "many"}):
        save_file(tensors, path, metadata=edited)
        with pytest.raises(FusionError, match="damaged"):
            load_fusion(path, space="space@1")


def test_serving_a_fusion_needs_no_torch(tmp_path: Path) -> None:
    save_fusion(random_fusion("attention"), tmp_path / "f.safetensors")
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from retrieval.fusion.files import load_fusion\n"
        "rows = np.eye(8, dtype=np.float32)\n"
        f"fused = load_fusion(Path({str(tmp_path / 'f.safetensors')!r}), space='space@1')(rows, rows)\n"
        "assert fused.shape == (8, 8)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
